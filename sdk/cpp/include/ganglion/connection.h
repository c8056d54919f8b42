#pragma once

#include <string>

namespace ganglion {

// Where the server is and how to prove who asks. Empty fields are taken from the environment:
// `GANGLION_SERVER` (else http://127.0.0.1:7420) and `GANGLION_TOKEN` (else none).
struct Connection {
  std::string server = {};
  std::string token = {};
};

}  // namespace ganglion

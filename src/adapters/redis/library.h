#pragma once

// The functions that run inside Redis (library/*.lua), under names that hold the digest of their text:
// processes of two versions each load their own.

#include <string>

namespace ganglion::redis {

struct Library {
  std::string source;  // as FUNCTION LOAD takes it
  std::string write;   // the functions' names
  std::string greet;
  std::string read;
};

const Library& library();

}  // namespace ganglion::redis

#pragma once

// Where the NATS server is, as a person writes it:
//   nats://[USER:PASSWORD@]HOST[:PORT][?prefix=NAME]
//   nats://TOKEN@HOST[:PORT][?prefix=NAME]
// User, password and token are percent-encoded where they must be.

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/url_parts.h"

namespace ganglion::nats {

struct Url {
  HostPort host;
  std::string user = {};
  std::string password = {};
  std::string token = {};
  std::string prefix = "ganglion";  // of every name
};

// Whether a bus' name is one of ours, well-formed or not.
bool is_url(std::string_view bus);

// Error `unknown_bus`, which says what is wrong and never repeats a password.
Result<Url> parse_url(std::string_view text);

}  // namespace ganglion::nats

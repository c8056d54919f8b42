#pragma once

// What is said on a new connection before anything else: the server says who it is, we say who we are. Knows
// no socket.

#include <string>
#include <string_view>

#include "adapters/nats/url.h"
#include "base/result.h"

namespace ganglion::nats {

// Of what a server says of itself, what matters to us.
struct ServerInfo {
  std::string version;
  bool headers = false;
  bool jetstream = false;
  bool tls_required = false;
  std::size_t max_payload = 0;  // bytes of headers and body together
};

ServerInfo server_info_of(std::string_view json);

// Why it can't carry a bus, and what to do.
Result<void> check(const ServerInfo& info);

// The JSON of CONNECT.
std::string introduction(const Url& url);

}  // namespace ganglion::nats

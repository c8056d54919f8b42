#pragma once

// Where the RabbitMQ is, as a person writes it:
//   amqp://[USER:PASSWORD@]HOST[:PORT],…[/VHOST][?prefix=NAME]
// Several hosts are nodes of one cluster. User, password and virtual host are percent-encoded where they must
// be; without them they are `guest`, `guest` and `/`.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/url_parts.h"

namespace ganglion::rabbitmq {

struct Url {
  std::vector<HostPort> hosts;
  std::string user = "guest";
  std::string password = "guest";
  std::string virtual_host = "/";
  std::string prefix = {};  // of every name, with a dot behind it; empty for bare names
};

// Whether a bus' name is one of ours, well-formed or not.
bool is_url(std::string_view bus);

// Error `unknown_bus`, which says what is wrong and never repeats a password.
Result<Url> parse_url(std::string_view text);

}  // namespace ganglion::rabbitmq

#pragma once

// Where the Kafka brokers are, as a person writes it:
//   kafka://HOST[:PORT][,HOST[:PORT]…][?prefix=NAME]
// One that can be reached is enough: it says who the others are, and by which addresses they are reached.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/url_parts.h"

namespace ganglion::kafka {

struct Url {
  std::vector<HostPort> hosts;
  std::string prefix = "ganglion";  // of every topic

  // As librdkafka wants it.
  std::string servers() const;
};

// Whether a bus' name is one of ours, well-formed or not.
bool is_url(std::string_view bus);

// Error `unknown_bus`, which says what is wrong.
Result<Url> parse_url(std::string_view text);

}  // namespace ganglion::kafka

#pragma once

// Where the Redis is, as a person writes it:
//   redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE][?prefix=NAME]
//   redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/MASTER[/DATABASE][?prefix=NAME]
//   redis+cluster://[USER:PASSWORD@]HOST[:PORT],…[?prefix=NAME]
// User and password are those of the Redis servers, percent-encoded where they must be.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ganglion::redis {

struct Address {
  std::string host;  // a name, or an IP address without brackets
  std::uint16_t port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
  bool operator==(const Address&) const = default;
};

enum class Topology { single, sentinel, cluster };

struct Url {
  Topology topology = Topology::single;
  std::vector<Address> addresses;  // one server, the sentinels, or some nodes of the cluster
  std::optional<std::string> user = {};
  std::optional<std::string> password = {};
  std::string master = {};  // the name by which sentinels know it
  std::uint32_t database = 0;
  std::string prefix = "ganglion";

  // The key that every other one begins with: its braces keep all of them in one slot of a cluster.
  std::string base_key() const { return "{" + prefix + "}"; }
};

// Whether a store's name is one of ours, well-formed or not.
bool is_url(std::string_view store);

// Error `unknown_store`, which says what is wrong and never repeats a password.
Result<Url> parse_url(std::string_view text);

}  // namespace ganglion::redis

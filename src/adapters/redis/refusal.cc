#include "adapters/redis/refusal.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace ganglion::redis {
namespace {

// The server starts, has become a replica, is no longer the node of the slot, runs a slow script, or doesn't
// let us in while its access rules are changed. All are checked before a function begins.
constexpr std::array<std::string_view, 10> kAgain = {"LOADING", "READONLY", "MASTERDOWN",  "MOVED",
                                                     "ASK",     "TRYAGAIN", "CLUSTERDOWN", "BUSY",
                                                     "NOAUTH",  "NOPERM"};

// Memory is full, the disk is or can't be written, or fewer replicas listen than the server insists on. Also
// checked before.
constexpr std::array<std::string_view, 3> kRefused = {"OOM", "MISCONF", "NOREPLICAS"};

template <typename Codes>
bool is_one_of(const Codes& codes, const Reply& error) {
  return std::ranges::any_of(codes, [&](std::string_view code) { return error.is_error(code); });
}

}  // namespace

Refusal refusal_of(const Reply& error) {
  if (is_one_of(kAgain, error) || is_missing_function(error)) return {Refusal::Kind::again, error.text};
  if (is_one_of(kRefused, error)) return {Refusal::Kind::refused, "Redis refuses writes: " + error.text};
  return {Refusal::Kind::unknown, error.text};
}

bool is_missing_function(const Reply& reply) {
  return reply.is_error() && reply.text.starts_with("ERR Function not found");
}

}  // namespace ganglion::redis

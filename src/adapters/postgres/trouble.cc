#include "adapters/postgres/trouble.h"

#include <algorithm>
#include <array>
#include <span>

namespace ganglion::postgres {
namespace {

constexpr std::string_view kReadOnly = "25006";  // a primary that has become a standby
constexpr std::string_view kInactiveTransaction = "25P03";
constexpr std::string_view kTakenOver = "GA001";  // by a newer connection of ours, see begin_group

bool is_one_of(std::span<const std::string_view> codes, std::string_view code) {
  return std::ranges::find(codes, code) != codes.end();
}

}  // namespace

Trouble trouble_of(std::string_view sqlstate) {
  // Connection failures, and a server that stops, starts or has no room for connections.
  constexpr std::array kLost = {std::string_view("57P01"), std::string_view("57P02"),
                                std::string_view("57P03"), std::string_view("57P05"),
                                std::string_view("53300"), kReadOnly,
                                kInactiveTransaction,      kTakenOver};
  if (sqlstate.empty() || sqlstate.starts_with("08") || is_one_of(kLost, sqlstate)) return Trouble::lost;
  // Serialization, deadlock, a lock that wasn't to be had in time, a cancelled statement.
  constexpr std::array kTryAgain = {std::string_view("40001"), std::string_view("40P01"),
                                    std::string_view("55P03"), std::string_view("57014")};
  if (is_one_of(kTryAgain, sqlstate)) return Trouble::try_again;
  if (sqlstate.starts_with("53") || sqlstate.starts_with("58")) return Trouble::no_room;
  return Trouble::one_at_fault;
}

Error read_error(std::string_view sqlstate, const std::string& message) {
  if (sqlstate.starts_with("XX")) return {"store_corrupt", "the store is damaged: " + message};
  return {"unavailable", "the store can't be read: " + message};
}

}  // namespace ganglion::postgres

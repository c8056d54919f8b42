#pragma once

// Looking into what NATS says in JSON.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_text.h"

namespace ganglion::nats {

// A member's JSON; empty where there is none.
std::string_view member(std::string_view object, std::string_view name);
// Empty and 0 where it is none.
std::string text_member(std::string_view object, std::string_view name);
std::uint64_t number_member(std::string_view object, std::string_view name);

// What JetStream answers instead of what it was asked for.
struct ApiError {
  int code = 0;    // like HTTP's
  int number = 0;  // NATS' own, of which there are many
  std::string description;
};
std::optional<ApiError> api_error(std::string_view answer);

inline constexpr int kStreamNotFound = 10059;
inline constexpr int kStreamHasOtherOptions = 10058;
inline constexpr int kStreamCantChange = 10052;
inline constexpr int kOtherConsumer = 10099;  // there may be only one of a work queue
inline constexpr int kOtherFilter = 10100;    // the same
inline constexpr int kMessageNotFound = 10057;
inline constexpr int kTooManyMessages = 10077;
inline constexpr int kMessageTooLarge = 10054;

}  // namespace ganglion::nats

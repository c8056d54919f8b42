#pragma once

// What every bus checks before it asks its broker.

#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "ports/bus.h"

namespace ganglion {

// Others' messages name queues, too (`reply_to`): ask before you publish there.
inline bool is_bus_name(std::string_view name) {
  constexpr std::string_view kAllowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:";
  return !name.empty() && name.size() <= kMaxBusName &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

// Breaking it is a bug of the caller.
inline void assert_bus_name(std::string_view name) {
  GANGLION_ASSERT(is_bus_name(name));
}

inline bool fits(const BusMessage& message) {
  return message.body.size() <= kMaxBusMessage &&
         std::max({message.id.size(), message.type.size(), message.reply_to.size()}) <= kMaxBusProperty;
}

inline std::unexpected<Error> too_large(const BusMessage& message) {
  if (message.body.size() > kMaxBusMessage)
    return fail("too_large", "a message of " + std::to_string(message.body.size()) +
                                 " bytes is more than a queue takes (" + std::to_string(kMaxBusMessage) +
                                 ")");
  return fail("too_large", "a message's id, type or queue for answers is longer than " +
                               std::to_string(kMaxBusProperty) + " bytes");
}

inline std::unexpected<Error> unknown_queue(std::string_view queue) {
  return fail("unknown_queue", "there is no queue \"" + std::string(queue) + "\"; declare it first");
}

inline std::unexpected<Error> overloaded(std::string_view queue) {
  return fail("overloaded", "the queue \"" + std::string(queue) + "\" is full; try again later");
}

inline std::size_t bytes_of(const BusMessage& message) {
  return message.id.size() + message.type.size() + message.reply_to.size() + message.body.size();
}

}  // namespace ganglion

#pragma once

// A message's headers (NATS' ADR-4): a first line, which may carry a status, and `Name: value` lines. What a
// message has besides its body stands there. Values are printable ASCII; anything else in them, and `%`, is
// percent-encoded.

#include <string>
#include <string_view>

#include "ports/bus.h"

namespace ganglion::nats {

// Not `Nats-Msg-Id`: NATS would drop what is published again under the same one.
inline constexpr std::string_view kId = "Ganglion-Id";
inline constexpr std::string_view kType = "Ganglion-Type";
inline constexpr std::string_view kReplyTo = "Ganglion-Reply-To";
// Of a dead letter.
inline constexpr std::string_view kReason = "Ganglion-Reason";

// More than the headers of a message can take.
inline constexpr std::size_t kMaxHeaders = 4 << 10;

std::string headers_of(const BusMessage& message);
std::string dead_headers_of(const BusMessage& message, std::string_view reason);

// Headers may be empty: a message without any.
BusMessage message_of(std::string_view headers, std::string_view body);
// 0 where there is none.
int status_of(std::string_view headers);
// The rest of the first line.
std::string_view status_text(std::string_view headers);
// As it stands there; empty where it doesn't.
std::string_view header(std::string_view headers, std::string_view name);

}  // namespace ganglion::nats

#pragma once

// What is said to NATS about a delivery, on a subject that came with it (NATS' ADR-15).

#include <cstdint>
#include <optional>
#include <string_view>

namespace ganglion::nats {

inline constexpr std::string_view kAck = "+ACK";
inline constexpr std::string_view kNak = "-NAK";         // again, to anybody
inline constexpr std::string_view kTerm = "+TERM";       // never again
inline constexpr std::string_view kInProgress = "+WPI";  // somebody who has it lives

struct DeliveryInfo {
  std::uint64_t deliveries;  // with this one
  std::uint64_t sequence;    // the message's number in its stream
};

// What the subject says; nothing where it is none on which deliveries are acknowledged.
std::optional<DeliveryInfo> delivery_info(std::string_view subject);

}  // namespace ganglion::nats

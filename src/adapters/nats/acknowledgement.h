#pragma once

// What is said to NATS about a delivery, on a subject that came with it (NATS' ADR-15).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ganglion::nats {

inline constexpr std::string_view kAck = "+ACK";
inline constexpr std::string_view kNak = "-NAK";  // again, to anybody
// The same, when NATS has forgotten what a consumer that is gone has asked for. NATS 2.9 miscounts a delivery
// that is due while only such a request is there, or one whose time is just over.
inline constexpr std::string_view kNakLater = R"(-NAK {"delay":1500000000})";
// For so long NATS remembers who has asked for messages: shorter than that delay, and than what is left of a
// lease when a process dies; not a part of either, so that the ends of both don't meet.
inline constexpr std::chrono::milliseconds kPullLife{1'300};
inline constexpr std::string_view kTerm = "+TERM";       // never again
inline constexpr std::string_view kInProgress = "+WPI";  // somebody who has it lives

struct DeliveryInfo {
  std::uint64_t deliveries;  // with this one
  std::uint64_t sequence;    // the message's number in its stream
};

// What the subject says; nothing where it is none on which deliveries are acknowledged.
std::optional<DeliveryInfo> delivery_info(std::string_view subject);

}  // namespace ganglion::nats

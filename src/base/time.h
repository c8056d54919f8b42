#pragma once

// Time as the engine sees it: a Timestamp is milliseconds since the Unix epoch, a Duration is milliseconds.
// The engine never reads a clock itself: the clock port hands timestamps in, so that a simulator can run days
// in milliseconds.

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ganglion {

using Duration = std::chrono::milliseconds;

class Timestamp {
 public:
  constexpr Timestamp() = default;
  constexpr explicit Timestamp(std::int64_t milliseconds_since_epoch) : ms_(milliseconds_since_epoch) {}

  constexpr std::int64_t milliseconds_since_epoch() const { return ms_; }

  constexpr auto operator<=>(const Timestamp&) const = default;

  friend constexpr Timestamp operator+(Timestamp t, Duration d) { return Timestamp(t.ms_ + d.count()); }
  friend constexpr Timestamp operator-(Timestamp t, Duration d) { return Timestamp(t.ms_ - d.count()); }
  friend constexpr Duration operator-(Timestamp a, Timestamp b) { return Duration(a.ms_ - b.ms_); }

 private:
  std::int64_t ms_ = 0;
};

// RFC 3339 in UTC with milliseconds: `2026-03-01T09:30:00.000Z`.
std::string format_rfc3339(Timestamp time);

// The inverse of format_rfc3339; also accepts any number of fractional digits and a numeric offset.
Result<Timestamp> parse_rfc3339(std::string_view text);

// `200ms`, `30s`, `15m`, `24h`, `7d`; a non-negative integer and one unit. Error code `invalid_duration`.
// Bound: 3650 days.
Result<Duration> parse_duration(std::string_view text);

// The shortest of those forms that is exact: 90s → `90s`, 120s → `2m`.
std::string format_duration(Duration duration);

}  // namespace ganglion

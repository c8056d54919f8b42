#pragma once

// Timestamps and durations of the language: text forms, range, fields in UTC or at a fixed offset. The
// proleptic Gregorian calendar; no leap seconds; no named time zones.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/expr/value.h"

namespace ganglion::expr {

// 0001-01-01T00:00:00Z … 9999-12-31T23:59:59.999999999Z
bool in_range(Instant instant);
// Nothing where the result is out of range.
std::optional<Instant> add(Instant instant, std::chrono::nanoseconds duration);
std::optional<std::chrono::nanoseconds> subtract(Instant later, Instant earlier);

// RFC 3339 with up to nine fractional digits (more are cut off) and `Z` or a numeric offset; nothing where
// `text` is not that, or out of range.
std::optional<Instant> parse_timestamp(std::string_view text);
// In UTC, with as many groups of three fractional digits as it takes.
std::string format_timestamp(Instant instant);

// `1h30m`, `1.5s`, `-250ms`: decimal numbers with the units h, m, s, ms, us, µs, ns; or `0`.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
// Decimal seconds: `1.5s`.
std::string format_duration(std::chrono::nanoseconds duration);

// `+11:00`, `-02:30`, `02:00`, `UTC`: the offset from UTC.
std::optional<std::chrono::minutes> parse_offset(std::string_view text);

struct CivilTime {
  std::int64_t year;
  std::int64_t month;        // 1 … 12
  std::int64_t day;          // 1 … 31
  std::int64_t day_of_year;  // 1 … 366
  std::int64_t day_of_week;  // 0: Sunday
  std::int64_t hour, minute, second, millisecond;
};

CivilTime civil_time(Instant instant, std::chrono::minutes offset);

}  // namespace ganglion::expr

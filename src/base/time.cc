#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace ganglion {
namespace {

using Days = std::chrono::sys_days;

constexpr Duration kMaxDuration = std::chrono::hours(24 * 3650);

struct Unit {
  std::string_view suffix;
  std::int64_t milliseconds;
};
// Longest suffix first where one ends with another ("ms" before "s" and "m").
constexpr std::array<Unit, 5> kUnits = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                        Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};

// Reads exactly `digits` digits at the front of `text` and drops them.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, int& milliseconds) {
  milliseconds = 0;
  if (!take(text, '.')) return true;
  int scale = 100;
  std::size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    milliseconds += (text.front() - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
    ++digits;
  }
  return digits > 0;
}

bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (take(text, 'Z') || take(text, 'z')) return true;
  int sign = 0;
  if (take(text, '+'))
    sign = 1;
  else if (take(text, '-'))
    sign = -1;
  int hours = 0;
  int rest = 0;
  if (sign == 0 || !take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, rest))
    return false;
  if (hours > 23 || rest > 59) return false;
  minutes = sign * (hours * 60 + rest);
  return true;
}

}  // namespace

namespace {

void put_digits(std::string& text, std::size_t at, std::size_t count, unsigned number) {
  for (std::size_t i = count; i-- > 0; number /= 10) text[at + i] = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string format_rfc3339(Timestamp time) {
  const std::chrono::sys_time<Duration> point{Duration(time.milliseconds_since_epoch())};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(point - day);
  if (date.year() >= std::chrono::year(0) && date.year() <= std::chrono::year(9999)) {
    std::string text = "0000-00-00T00:00:00.000Z";
    put_digits(text, 0, 4, static_cast<unsigned>(static_cast<int>(date.year())));
    put_digits(text, 5, 2, static_cast<unsigned>(date.month()));
    put_digits(text, 8, 2, static_cast<unsigned>(date.day()));
    put_digits(text, 11, 2, static_cast<unsigned>(clock.hours().count()));
    put_digits(text, 14, 2, static_cast<unsigned>(clock.minutes().count()));
    put_digits(text, 17, 2, static_cast<unsigned>(clock.seconds().count()));
    put_digits(text, 20, 3, static_cast<unsigned>(clock.subseconds().count()));
    return text;
  }
  std::array<char, 40> text;
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  const std::string_view whole = text;
  const auto invalid = [&] {
    return fail("invalid_time",
                "\"" + std::string(whole) + "\" is not an RFC 3339 time such as 2026-03-01T09:30:00.000Z");
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0, offset = 0;
  const bool well_formed =
      take_number(text, 4, year) && take(text, '-') && take_number(text, 2, month) && take(text, '-') &&
      take_number(text, 2, day) && (take(text, 'T') || take(text, 't')) && take_number(text, 2, hour) &&
      take(text, ':') && take_number(text, 2, minute) && take(text, ':') && take_number(text, 2, second) &&
      take_fraction(text, millisecond) && take_offset(text, offset) && text.empty();
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!well_formed || !date.ok() || hour > 23 || minute > 59 || second > 59) return invalid();
  const std::int64_t minutes = Days(date).time_since_epoch().count() * 1440LL + hour * 60 + minute - offset;
  return Timestamp((minutes * 60 + second) * 1000 + millisecond);
}

Result<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : kUnits) {
    if (error != std::errc() || count < 0 || suffix != unit.suffix) continue;
    if (count > kMaxDuration.count() / unit.milliseconds) {
      return fail("invalid_duration", "\"" + std::string(text) + "\" is longer than 3650 days");
    }
    return Duration(count * unit.milliseconds);
  }
  return fail("invalid_duration",
              "\"" + std::string(text) +
                  "\" is not a duration; write a number and a unit, such as 200ms, 30s, 15m, 24h or 7d");
}

std::string format_duration(Duration duration) {
  for (auto unit = kUnits.rbegin(); unit != kUnits.rend(); ++unit) {
    if (duration.count() % unit->milliseconds == 0 && (duration.count() != 0 || unit->suffix == "s")) {
      return std::to_string(duration.count() / unit->milliseconds) + std::string(unit->suffix);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

}  // namespace ganglion

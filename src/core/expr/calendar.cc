#include "core/expr/calendar.h"

#include <array>
#include <charconv>

namespace ganglion::expr {
namespace {

using std::chrono::days;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_days;

constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Reads fixed fields from the front of a text.
class FieldReader {
 public:
  explicit FieldReader(std::string_view text) : text_(text) {}

  std::optional<int> number(std::size_t digits) {
    if (text_.size() < digits) return std::nullopt;
    int value = 0;
    for (char c : text_.substr(0, digits)) {
      if (!is_digit(c)) return std::nullopt;
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }
  bool skip(char expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // The digits from here on.
  std::string_view digits() {
    std::size_t count = 0;
    while (count < text_.size() && is_digit(text_[count])) ++count;
    std::string_view found = text_.substr(0, count);
    text_.remove_prefix(count);
    return found;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

std::string padded(std::int64_t value, std::size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

std::int32_t nanoseconds_of_fraction(std::string_view digits) {
  std::int32_t value = 0;
  for (std::size_t i = 0; i < 9; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value;
}

struct DateAndTime {
  std::int64_t seconds;
};

// `2009-02-13T23:31:30`, as seconds from the epoch.
std::optional<DateAndTime> read_date_and_time(FieldReader& reader) {
  auto year = reader.number(4);
  if (!year || !reader.skip('-')) return std::nullopt;
  auto month = reader.number(2);
  if (!month || !reader.skip('-')) return std::nullopt;
  auto day = reader.number(2);
  if (!day || !(reader.skip('T') || reader.skip('t'))) return std::nullopt;
  auto hour = reader.number(2);
  if (!hour || !reader.skip(':')) return std::nullopt;
  auto minute = reader.number(2);
  if (!minute || !reader.skip(':')) return std::nullopt;
  auto second = reader.number(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  std::chrono::year_month_day date(std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  std::int64_t day_count = sys_days(date).time_since_epoch().count();
  return DateAndTime{day_count * 86'400 + *hour * 3'600 + *minute * 60 + *second};
}

std::optional<nanoseconds> scale(std::string_view whole, std::string_view fraction, std::int64_t unit) {
  std::int64_t value = 0;
  for (char c : whole) {
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
      return std::nullopt;
  }
  if (__builtin_mul_overflow(value, unit, &value)) return std::nullopt;
  std::int64_t part = unit;
  for (char c : fraction) {
    part /= 10;
    if (__builtin_add_overflow(value, part * (c - '0'), &value)) return std::nullopt;
  }
  return nanoseconds(value);
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};

// Longer names before their prefixes.
constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\u00b5s", 1'000},
                                         {"\u03bcs", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", kNanosecondsPerSecond},
                                         {"m", 60 * kNanosecondsPerSecond},
                                         {"h", 3'600 * kNanosecondsPerSecond}}};

const Unit* read_unit(std::string_view& text) {
  for (const Unit& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return &unit;
  }
  return nullptr;
}

}  // namespace

bool in_range(Instant instant) {
  return instant.seconds >= kFirstSecond && instant.seconds <= kLastSecond;
}

std::optional<Instant> add(Instant instant, nanoseconds duration) {
  std::int64_t nanos = instant.nanoseconds + duration.count() % kNanosecondsPerSecond;
  std::int64_t carry = nanos < 0 ? -1 : nanos / kNanosecondsPerSecond;
  Instant sum{instant.seconds + duration.count() / kNanosecondsPerSecond + carry,
              static_cast<std::int32_t>(nanos - carry * kNanosecondsPerSecond)};
  return in_range(sum) ? std::optional(sum) : std::nullopt;
}

std::optional<nanoseconds> subtract(Instant later, Instant earlier) {
  std::int64_t difference = 0;
  if (__builtin_mul_overflow(later.seconds - earlier.seconds, kNanosecondsPerSecond, &difference))
    return std::nullopt;
  if (__builtin_add_overflow(difference, later.nanoseconds - earlier.nanoseconds, &difference))
    return std::nullopt;
  return nanoseconds(difference);
}

std::optional<Instant> parse_timestamp(std::string_view text) {
  FieldReader reader(text);
  auto moment = read_date_and_time(reader);
  if (!moment) return std::nullopt;
  Instant instant{moment->seconds, 0};
  if (reader.skip('.')) {
    std::string_view digits = reader.digits();
    if (digits.empty()) return std::nullopt;
    instant.nanoseconds = nanoseconds_of_fraction(digits);
  }
  if (reader.rest() != "Z" && reader.rest() != "z") {
    if (!reader.rest().starts_with('+') && !reader.rest().starts_with('-')) return std::nullopt;
    auto offset = parse_offset(reader.rest());
    if (!offset) return std::nullopt;
    instant.seconds -= seconds(*offset).count();
  }
  return in_range(instant) ? std::optional(instant) : std::nullopt;
}

std::string format_timestamp(Instant instant) {
  CivilTime time = civil_time(instant, std::chrono::minutes(0));
  std::string text = padded(time.year, 4) + '-' + padded(time.month, 2) + '-' + padded(time.day, 2) + 'T' +
                     padded(time.hour, 2) + ':' + padded(time.minute, 2) + ':' + padded(time.second, 2);
  if (instant.nanoseconds != 0) {
    std::string fraction = padded(instant.nanoseconds, 9);
    while (fraction.ends_with("000")) fraction.resize(fraction.size() - 3);
    text += '.' + fraction;
  }
  return text + 'Z';
}

std::optional<nanoseconds> parse_duration(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return nanoseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    FieldReader reader(text);
    std::string_view whole = reader.digits();
    std::string_view fraction = reader.skip('.') ? reader.digits() : std::string_view();
    if (whole.empty() && fraction.empty()) return std::nullopt;
    text = reader.rest();
    const Unit* unit = read_unit(text);
    if (!unit) return std::nullopt;
    auto part = scale(whole, fraction, unit->nanoseconds);
    if (!part || __builtin_add_overflow(total, part->count(), &total)) return std::nullopt;
  }
  return nanoseconds(negative ? -total : total);
}

std::string format_duration(nanoseconds duration) {
  std::int64_t count = duration.count();
  std::string text = count < 0 ? "-" : "";
  // The quotient and the remainder have magnitudes that fit, the smallest count itself has not.
  std::int64_t whole = count / kNanosecondsPerSecond;
  std::int64_t rest = count % kNanosecondsPerSecond;
  text += std::to_string(whole < 0 ? -whole : whole);
  if (rest != 0) {
    std::string fraction = padded(rest < 0 ? -rest : rest, 9);
    fraction.resize(fraction.find_last_not_of('0') + 1);
    text += '.' + fraction;
  }
  return text + 's';
}

std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "UTC") return std::chrono::minutes(0);
  bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  FieldReader reader(text);
  auto hours = reader.number(2);
  if (!hours || !reader.skip(':')) return std::nullopt;
  auto minutes = reader.number(2);
  if (!minutes || !reader.rest().empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  std::chrono::minutes offset(*hours * 60 + *minutes);
  return negative ? -offset : offset;
}

CivilTime civil_time(Instant instant, std::chrono::minutes offset) {
  seconds local(instant.seconds + seconds(offset).count());
  days day_count = std::chrono::floor<days>(local);
  std::int64_t second_of_day = (local - day_count).count();
  std::chrono::year_month_day date{sys_days(day_count)};
  sys_days first_of_year(date.year() / std::chrono::January / 1);
  return CivilTime{.year = static_cast<int>(date.year()),
                   .month = static_cast<unsigned>(date.month()),
                   .day = static_cast<unsigned>(date.day()),
                   .day_of_year = (sys_days(day_count) - first_of_year).count() + 1,
                   .day_of_week = std::chrono::weekday(sys_days(day_count)).c_encoding(),
                   .hour = second_of_day / 3'600,
                   .minute = second_of_day / 60 % 60,
                   .second = second_of_day % 60,
                   .millisecond = instant.nanoseconds / 1'000'000};
}

}  // namespace ganglion::expr

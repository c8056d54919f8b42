#include "core/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace ganglion {
namespace {

constexpr std::string_view kForm =
    "expected minute, hour, day of month, month and day of week, such as \"0 3 * * 1-5\", or @hourly, "
    "@daily, @weekly, @monthly or @yearly";
constexpr std::chrono::years kHorizon{8};  // a 29th of February may be eight years away

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNamed = {{{"@hourly", "0 * * * *"},
                                                                                  {"@daily", "0 0 * * *"},
                                                                                  {"@weekly", "0 0 * * 0"},
                                                                                  {"@monthly", "0 0 1 * *"},
                                                                                  {"@yearly", "0 0 1 1 *"}}};

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kDays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct CronField {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> words;  // for least, least + 1, …
};
constexpr std::array<CronField, 5> kFields = {{{"minute", 0, 59, {}},
                                               {"hour", 0, 23, {}},
                                               {"day of month", 1, 31, {}},
                                               {"month", 1, 12, kMonths},
                                               {"day of week", 0, 7, kDays}}};

std::string quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, 40)) + "\"";
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find_first_of(separators);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || text.front() == '-') return std::nullopt;
  return number;
}

std::optional<int> value_in(const CronField& field, std::string_view text) {
  const auto same = [&](std::string_view word) {
    return std::ranges::equal(word, text, {}, {}, [](char c) {
      return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    });
  };
  const auto word = std::ranges::find_if(field.words, same);
  if (word != field.words.end()) return field.least + static_cast<int>(word - field.words.begin());
  const auto number = number_in(text);
  return number && *number >= field.least && *number <= field.most ? number : std::nullopt;
}

// Sets what one of a list stands for: `*`, `5`, `1-5`, and with a step `*/15`, `0-30/10`.
template <typename Bits>
Result<void> read_part(const CronField& field, std::string_view part, Bits& bits) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  const bool all = range == "*";
  const auto refuse = [&](const std::string& what) {
    return fail("invalid_cron", std::string(field.name) + " " + what);
  };
  const std::vector<std::string_view> ends = split(range, "-");
  if (!all) {
    if (ends.size() > 2) return refuse(quoted(range) + " is no range");
    for (const std::string_view end : ends) {
      if (!value_in(field, end)) {
        return refuse(quoted(end) + " is not from " + std::to_string(field.least) + " to " +
                      std::to_string(field.most));
      }
    }
    if (ends.size() == 2 && *value_in(field, ends[0]) > *value_in(field, ends[1])) {
      return refuse(quoted(range) + " ends before it begins");
    }
  }
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto written = number_in(part.substr(slash + 1));
    if (!written || *written < 1 || *written > field.most) {
      return refuse(quoted(part) + " has no step from 1 to " + std::to_string(field.most));
    }
    if (!all && ends.size() == 1) return refuse(quoted(part) + ": a step goes with a range or *");
    step = *written;
  }
  const int first = all ? field.least : *value_in(field, ends.front());
  const int last = all ? field.most : *value_in(field, ends.back());
  for (int value = first; value <= last; value += step) bits.set(static_cast<std::size_t>(value));
  return {};
}

template <typename Bits>
Result<void> read_field(std::size_t index, std::string_view text, Bits& bits) {
  for (const std::string_view part : split(text, ",")) {
    if (auto read = read_part(kFields[index], part, bits); !read) return read;
  }
  return {};
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  if (text.starts_with('@')) {
    const auto named = std::ranges::find(kNamed, text, [](const auto& entry) { return entry.first; });
    if (named == kNamed.end()) return fail("invalid_cron", std::string(kForm) + ", got " + quoted(text));
    return parse(named->second);
  }
  std::vector<std::string_view> parts = split(text, " \t");
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  if (parts.size() != kFields.size()) {
    return fail("invalid_cron", std::string(kForm) + ", got " + std::to_string(parts.size()) +
                                    (parts.size() == 1 ? " field" : " fields"));
  }
  Cron cron;
  auto read = read_field(0, parts[0], cron.minutes_);
  if (read) read = read_field(1, parts[1], cron.hours_);
  if (read) read = read_field(2, parts[2], cron.days_);
  if (read) read = read_field(3, parts[3], cron.months_);
  if (read) read = read_field(4, parts[4], cron.weekdays_);
  if (!read) return std::unexpected(read.error());
  if (cron.weekdays_.test(7)) cron.weekdays_.set(0);
  cron.any_day_ = parts[2].starts_with('*');
  cron.any_weekday_ = parts[4].starts_with('*');
  return cron;
}

bool Cron::has_day(std::chrono::sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months_.test(static_cast<unsigned>(date.month()))) return false;
  const bool by_date = days_.test(static_cast<unsigned>(date.day()));
  const bool by_weekday = weekdays_.test(std::chrono::weekday(day).c_encoding());
  return any_day_ || any_weekday_ ? by_date && by_weekday : by_date || by_weekday;
}

std::optional<WallMinute> Cron::next_on_wall(WallMinute after) const {
  WallMinute at = after + std::chrono::minutes(1);
  auto day = std::chrono::floor<std::chrono::days>(at);
  const auto last_day = day + std::chrono::floor<std::chrono::days>(kHorizon);
  for (; day <= last_day; day += std::chrono::days(1), at = day) {
    if (!has_day(day)) continue;
    for (const auto end = day + std::chrono::days(1); at < end; at += std::chrono::minutes(1)) {
      const auto minute = static_cast<std::size_t>((at - WallMinute(day)).count());
      if (hours_.test(minute / 60) && minutes_.test(minute % 60)) return at;
    }
  }
  return std::nullopt;
}

std::optional<Timestamp> Cron::next(Timestamp time, const TimeZone& zone) const {
  auto wall = next_on_wall(zone.wall(time));
  // Clocks that have gone back show what was there before.
  while (wall && zone.instant(*wall) <= time) wall = next_on_wall(*wall);
  if (!wall) return std::nullopt;
  return zone.instant(*wall);
}

}  // namespace ganglion

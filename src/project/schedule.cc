#include "project/schedule.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>
#include <vector>

#include "project/suggestion.h"

namespace ganglion::project {
namespace {

constexpr std::string_view kForm =
    "expected minute, hour, day of month, month and day of week, such as \"0 3 * * 1-5\", or @hourly, "
    "@daily, "
    "@weekly, @monthly or @yearly";
constexpr std::size_t kMaxTimezoneBytes = 64;

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

// One of a list: `*`, `5`, `1-5`, and with a step `*/15`, `0-30/10`.
std::optional<std::string> check_part(const CronField& field, std::string_view part) {
  const std::size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  const bool all = range == "*";
  const auto refuse = [&](const std::string& what) { return std::string(field.name) + " " + what; };
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
  if (slash == std::string_view::npos) return std::nullopt;
  const auto step = number_in(part.substr(slash + 1));
  if (!step || *step < 1 || *step > field.most) {
    return refuse("\"" + std::string(part.substr(0, 40)) + "\" has no step from 1 to " +
                  std::to_string(field.most));
  }
  if (!all && ends.size() == 1) return refuse(quoted(part) + ": a step goes with a range or *");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> check_cron(std::string_view text) {
  if (text.starts_with('@')) {
    static const std::vector<std::string> kNames = {"@hourly", "@daily", "@weekly", "@monthly", "@yearly"};
    if (std::ranges::find(kNames, text) != kNames.end()) return std::nullopt;
    return std::string(kForm) + ", got " + quoted(text) + did_you_mean(text, kNames);
  }
  std::vector<std::string_view> parts = split(text, " \t");
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  if (parts.size() != kFields.size()) {
    return std::string(kForm) + ", got " + std::to_string(parts.size()) +
           (parts.size() == 1 ? " field" : " fields");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const std::string_view part : split(parts[i], ",")) {
      if (auto problem = check_part(kFields[i], part)) return problem;
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_timezone(std::string_view text) {
  const auto fits = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '+' || c == '-');
  };
  const auto is_word = [&](std::string_view word) {
    return !word.empty() && std::isalpha(static_cast<unsigned char>(word.front())) != 0 &&
           std::ranges::all_of(word, fits);
  };
  if (text.size() <= kMaxTimezoneBytes && std::ranges::all_of(split(text, "/"), is_word)) return std::nullopt;
  return "expected the name of a time zone, such as UTC or Europe/Berlin, got " + quoted(text);
}

}  // namespace ganglion::project

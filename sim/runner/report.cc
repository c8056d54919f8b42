#include "sim/runner/report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "base/json_text.h"
#include "base/time.h"
#include "sim/runner/seed_json.h"

namespace ganglion::sim {
namespace {

namespace json = boost::json;

constexpr std::size_t kViolationsShown = 5;

void collect(const json::value& value, const std::string& path,
             std::map<std::string, std::vector<double>>& to) {
  if (value.is_number()) {
    to[path].push_back(value.to_number<double>());
  } else if (value.is_object()) {
    for (const auto& member : value.as_object()) {
      collect(member.value(),
              path.empty() ? std::string(member.key()) : path + "." + std::string(member.key()), to);
    }
  }
}

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string plain(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", number);
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

std::string xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return escaped;
}

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(time.count()) / 1e3);
  return text;
}

std::string list_json(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) {
    if (list.size() > 1) list += ',';
    append_json_string(list, text);
  }
  return list + "]";
}

std::string text_of(const FailedSeed& failed) {
  std::string text;
  std::size_t shown = 0;
  for (const std::string& violation : failed.result.violations) {
    if (shown++ == kViolationsShown) {
      text += "  … and " + std::to_string(failed.result.violations.size() - kViolationsShown) + " more\n";
      break;
    }
    text += "  " + violation + "\n";
  }
  if (failed.shrunk) {
    text += "  needs " + std::to_string(failed.shrunk->size()) + " of its " +
            std::to_string(failed.result.events.size()) + " events (found in " +
            std::to_string(failed.tries) + " tries):\n";
    for (const std::string& event : *failed.shrunk) text += "    " + event + "\n";
  }
  if (!failed.reproduce.empty()) text += "  reproduce: " + failed.reproduce + "\n";
  return text;
}

}  // namespace

void Report::add(const SeedResult& result) {
  ++seeds_;
  if (!result.violations.empty()) ++failures_;
  steps_ += result.steps;
  writes_ += result.writes;
  runs_ += result.runs;
  trace_ += mix(result.seed, result.trace);
  virtual_ += result.length;
  for (const auto& [what, times] : result.sightings) sightings_[what] += times;
  if (result.totals.empty()) return;
  boost::system::error_code broken;
  collect(json::parse(result.totals, broken), "", totals_);
}

std::vector<std::string> Report::missed() const {
  std::vector<std::string> missed;
  if (excused_) return missed;
  for (const std::string& what : expected_) {
    if (!sightings_.contains(what)) missed.push_back(what);
  }
  return missed;
}

std::string Report::figures() const {
  const double wall = std::max(static_cast<double>(wall_.count()) / 1e3, 1e-3);
  const auto rate = [&](std::uint64_t count) {
    return grouped(static_cast<std::uint64_t>(static_cast<double>(count) / wall));
  };
  return grouped(seeds_) + (seeds_ == 1 ? " seed, " : " seeds, ") + grouped(failures_) + " failed, in " +
         seconds(wall_) + " s\n" + "  virtual time   " +
         format_duration(Duration(virtual_.count() / 1'000'000 * 1'000)) + "\n" + "  runs           " +
         grouped(runs_) + "\n" + "  events         " + grouped(steps_) + " (" + rate(steps_) + "/s)\n" +
         "  trace          " + hex(trace_) + "\n  store writes   " + grouped(writes_) + " (" + rate(writes_) +
         "/s)\n";
}

std::string Report::totals_table() const {
  if (totals_.empty()) return {};
  std::size_t name = 0;
  for (const auto& [path, numbers] : totals_) name = std::max(name, path.size());
  std::string table = "\n  " + std::string(name, ' ') + padded("least", 14) + padded("median", 14) +
                      padded("most", 14) + "   of one seed\n";
  for (const auto& [path, numbers] : totals_) {
    std::vector<double> sorted = numbers;
    std::ranges::sort(sorted);
    table += "  " + path + std::string(name - path.size(), ' ') + padded(plain(sorted.front()), 14) +
             padded(plain(sorted[sorted.size() / 2]), 14) + padded(plain(sorted.back()), 14) + "\n";
  }
  return table;
}

std::string Report::table() const {
  std::string text = scenario_ + ": " + figures() + totals_table();
  for (const FailedSeed& failed : failed_) {
    text += "\nseed " + std::to_string(failed.result.seed) + " fails:\n" + text_of(failed);
  }
  const auto never = missed();
  if (!never.empty()) text += "\nnever happened, so nothing was learnt about it:\n";
  for (const std::string& what : never) text += "  " + what + "\n";
  return text;
}

std::string Report::json() const {
  std::string failures = "[";
  for (const FailedSeed& failed : failed_) {
    if (failures.size() > 1) failures += ',';
    JsonObject one;
    one.add_raw("result", seed_json(failed.result));
    one.add_raw("needs", failed.shrunk ? list_json(*failed.shrunk) : "null");
    one.add("reproduce", failed.reproduce);
    failures += one.finish();
  }
  JsonObject sightings;
  for (const auto& [what, times] : sightings_) sightings.add(what, static_cast<std::int64_t>(times));
  JsonObject object;
  object.add("scenario", scenario_).add("holds", holds());
  object.add("seeds", static_cast<std::int64_t>(seeds_)).add("failed", static_cast<std::int64_t>(failures_));
  object.add("runs", static_cast<std::int64_t>(runs_)).add("steps", static_cast<std::int64_t>(steps_));
  object.add("writes", static_cast<std::int64_t>(writes_));
  object.add("virtual_ms", static_cast<std::int64_t>(virtual_.count() / 1'000));
  object.add("trace", hex(trace_)).add("wall_ms", static_cast<std::int64_t>(wall_.count()));
  object.add_raw("sightings", sightings.finish()).add_raw("missed", list_json(missed()));
  object.add_raw("failures", failures + "]");
  return object.finish();
}

std::string Report::junit() const {
  const auto never = missed();
  const std::uint64_t tests = seeds_ + (expected_.empty() ? 0 : 1);
  const std::uint64_t failures = failures_ + (never.empty() ? 0 : 1);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"" + xml(scenario_) +
                     "\" tests=\"" + std::to_string(tests) + "\" failures=\"" + std::to_string(failures) +
                     "\" time=\"" + seconds(wall_) + "\">\n";
  for (const FailedSeed& failed : failed_) {
    const std::string& first = failed.result.violations.empty() ? "" : failed.result.violations.front();
    text += "  <testcase name=\"seed " + std::to_string(failed.result.seed) + "\"><failure message=\"" +
            xml(first) + "\">" + xml(text_of(failed)) + "</failure></testcase>\n";
  }
  text += "  <testcase name=\"" + std::to_string(seeds_ - failures_) + " seeds that hold\"/>\n";
  if (!never.empty()) {
    std::string list;
    for (const std::string& what : never) list += what + "\n";
    text += "  <testcase name=\"what should have happened\"><failure message=\"never happened\">" +
            xml(list) + "</failure></testcase>\n";
  }
  return text + "</testsuite>\n";
}

}  // namespace ganglion::sim

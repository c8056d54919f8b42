#include "cli/tax_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/json_text.h"
#include "cli/elapsed.h"
#include "cli/fields.h"
#include "cli/run_summary.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kNameColumns = 10;
constexpr std::size_t kNumberColumns = 8;
constexpr std::size_t kMaxBar = 40;

constexpr auto kTimes = std::to_array<std::string_view>({"wall_ms", "work_ms", "tax_ms"});
constexpr auto kParts =
    std::to_array<std::string_view>({"admit", "queue", "dispatch", "persist", "decide", "backoff"});
constexpr auto kCounts =
    std::to_array<std::string_view>({"messages", "context_bytes", "repeated_context_bytes", "tokens"});

// Milliseconds with a fraction where whole ones say too little.
std::string time_text(double ms) {
  if (ms >= 10 || ms == 0) return elapsed_text(Duration(std::llround(ms)));
  std::string text = std::to_string(std::llround(ms * 100));
  text.insert(0, 3 - std::min<std::size_t>(text.size(), 3), '0');
  return text.insert(text.size() - 2, ".") + "ms";
}

std::string percent_text(double share) {
  const long long tenths = std::llround(share * 1000);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + "%";
}

// A bar in eighths of a column, or in whole ones where the terminal knows no better.
std::string bar_of(double share, std::size_t width, Symbols symbols) {
  static constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths =
      static_cast<std::size_t>(std::llround(std::clamp(share, 0.0, 1.0) * static_cast<double>(width) * 8));
  std::string bar;
  if (symbols == Symbols::ascii) return std::string((eighths + 4) / 8, '#');
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + std::string(kEighths[eighths % 8]);
}

struct Row {
  std::string_view name;
  double ms;
  double share;  // of the wall time
  Tint tint;
};

StyledLine line_of(const Row& row, std::size_t bar, Symbols symbols) {
  return {{padded(row.name, kNameColumns), row.tint == Tint::plain ? Tint::faint : Tint::plain},
          {padded_left(time_text(row.ms), kNumberColumns)},
          {padded_left(percent_text(row.share), kNumberColumns) + "  ", Tint::faint},
          {bar_of(row.share, bar, symbols), row.tint}};
}

std::string grouped(double amount) {
  std::string text = std::to_string(std::llround(std::clamp(amount, 0.0, 1e15)));
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace

std::vector<StyledLine> tax_lines(std::string_view json, const TaxLayout& layout) {
  const Fields tax(json);
  const Fields parts = tax.object("parts");
  const double wall = tax.number("wall_ms");
  const std::size_t used = kNameColumns + 2 * kNumberColumns + 2;
  const std::size_t bar = std::min(kMaxBar, layout.columns > used ? layout.columns - used : 0);
  const auto share = [&](double ms) { return wall > 0 ? ms / wall : 0; };
  std::vector<StyledLine> lines;
  const auto add = [&](std::string_view name, double ms, Tint tint) {
    lines.push_back(line_of({.name = name, .ms = ms, .share = share(ms), .tint = tint}, bar, layout.symbols));
  };
  add("wall", wall, Tint::busy);
  add("work", tax.number("work_ms"), Tint::good);
  add("tax", tax.number("tax_ms"), Tint::notice);
  for (const std::string_view part : kParts) {
    add("  " + std::string(part), parts.number(part), Tint::plain);
  }
  lines.push_back({});
  const double repeated = tax.number("repeated_context_bytes");
  lines.push_back({{grouped(tax.number("messages")) + " messages, " + grouped(tax.number("context_bytes")) +
                    " bytes of context" + (repeated > 0 ? " (" + grouped(repeated) + " repeated)" : "") +
                    ", " + grouped(tax.number("tokens")) + " tokens"}});
  return lines;
}

std::string critical_path_table(std::string_view json, std::size_t columns) {
  Table table{.header = {"STEP", "ATTEMPT", "STARTED", "TOOK", "WORK"}, .rows = {}};
  for (const std::string_view one : Fields(json).list("critical_path")) {
    const Fields attempt(one);
    table.rows.push_back({attempt.place(), attempt.text("attempt"), attempt.text("started_at"),
                          took(attempt.text("started_at"), attempt.text("ended_at")),
                          attempt.has("work_ms") ? time_text(attempt.number("work_ms")) : ""});
  }
  return table.rows.empty() ? "" : render(table, columns);
}

std::string average_tax(const std::vector<std::string_view>& taxes) {
  const auto mean = [&](auto number_of) {
    double sum = 0;
    for (const std::string_view tax : taxes) sum += number_of(Fields(tax));
    return sum / static_cast<double>(taxes.size());
  };
  JsonObject average;
  const auto add = [&](std::string_view name) {
    average.add_number(name, mean([&](const Fields& tax) { return tax.number(name); }));
  };
  std::ranges::for_each(kTimes, add);
  const double wall = mean([](const Fields& tax) { return tax.number("wall_ms"); });
  average.add_number("tax_ratio",
                     wall > 0 ? mean([](const Fields& tax) { return tax.number("tax_ms"); }) / wall : 0);
  JsonObject parts;
  for (const std::string_view part : kParts) {
    parts.add_number(part, mean([&](const Fields& tax) { return tax.object("parts").number(part); }));
  }
  average.add_raw("parts", parts.finish());
  std::ranges::for_each(kCounts, add);
  return average.finish();
}

}  // namespace ganglion::cli

#include "sim/scenario/reading.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "core/expr/bindings.h"
#include "project/policies.h"
#include "project/suggestion.h"
#include "project/values.h"
#include "sim/scenario/draw_scope.h"

namespace ganglion::scenario {
namespace {

std::optional<Rate> parse_rate(std::string_view text) {
  double count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count, std::chars_format::fixed);
  if (error != std::errc() || rest == end || *rest != '/' || !std::isfinite(count) || count < 0) {
    return std::nullopt;
  }
  const auto per = project::unit_of_rate({rest + 1, end});
  if (!per) return std::nullopt;
  if (count == 0) return Rate{};
  const auto nanoseconds = static_cast<double>(std::chrono::nanoseconds(*per).count());
  const double gap = nanoseconds / count;
  if (gap < static_cast<double>(kMinMeanGap.count())) return std::nullopt;
  // Rarer than once in the longest simulation is as good as never, and must not overflow.
  constexpr auto kMost = static_cast<double>(std::chrono::nanoseconds(std::chrono::days(36'500)).count());
  return Rate{std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(gap, kMost)))};
}

Latency read_uniform(const std::optional<Field>& min, const std::optional<Field>& max,
                     const Reading& reading) {
  UniformLatency latency;
  if (min) latency.min = read_span(*min, reading).value_or(latency.min);
  const auto longest = max ? read_span(*max, reading) : std::nullopt;
  latency.max = longest.value_or(latency.min);
  if (longest && latency.min > latency.max) {
    reading.report(*max, "max (" + format_duration(latency.max) + ") is shorter than min (" +
                             format_duration(latency.min) + ")");
    latency.max = latency.min;
  }
  return latency;
}

Latency read_log_normal(const Field& p50, const Field& p99, const Reading& reading) {
  const auto median = read_span(p50, reading);
  const auto high = read_span(p99, reading);
  if (median && *median < Duration(1)) reading.report(p50, "must be longer than 0");
  if (median && high && *high < *median) {
    reading.report(
        p99, "p99 (" + format_duration(*high) + ") is shorter than p50 (" + format_duration(*median) + ")");
    return LogNormalLatency{};
  }
  return LogNormalLatency{std::max(median.value_or(Duration(1)), Duration(1)),
                          std::max(high.value_or(Duration(1)), Duration(1))};
}

AtTimes read_times(const Field& field, Duration duration, const Reading& reading) {
  AtTimes at;
  for (const Field& item : reading.items(field, kMaxArrivals, "[0s, 10s]")) {
    const auto time = read_span(item, reading);
    if (time && *time >= duration) {
      reading.report(item, "not before the end of the simulation's duration, " + format_duration(duration));
    }
    at.times.push_back(time.value_or(Duration(0)));
  }
  std::ranges::sort(at.times);
  return at;
}

// More would be cut off: whoever means it says so.
void check_amount(const Field& field, std::chrono::nanoseconds gap, Duration duration,
                  const Reading& reading) {
  const std::chrono::nanoseconds whole = duration;
  if (gap.count() > 0 && whole / gap > static_cast<std::int64_t>(kMaxArrivals)) {
    reading.report(field, "comes to more than " + std::to_string(kMaxArrivals) + " in " +
                              format_duration(duration) + "; set \"count\" or a shorter \"duration\"");
  }
}

}  // namespace

std::vector<Field> Reading::items(const Field& field, std::size_t most, std::string_view example) const {
  std::vector<Field> fields;
  if (field.value->kind != YamlKind::list) {
    report(field, "expected a list, such as " + std::string(example) + ", got " + describe(*field.value));
  } else if (field.value->items.size() > most) {
    report(field,
           std::to_string(field.value->items.size()) + " entries; there may be " + std::to_string(most));
  } else {
    for (std::size_t i = 0; i < field.value->items.size(); ++i) fields.push_back(field.item(i));
  }
  return fields;
}

Chance read_chance(const Field& field, const Reading& reading) {
  return Chance(project::read_number(field, 0, 1, reading.diagnostics).value_or(0));
}

std::optional<Duration> read_span(const Field& field, const Reading& reading) {
  const auto span = project::read_duration(field, reading.diagnostics);
  if (span && *span > kMaxSpan) {
    reading.report(field, "longer than " + format_duration(kMaxSpan));
    return std::nullopt;
  }
  return span;
}

std::optional<Latency> read_latency(const Field& field, const Reading& reading) {
  if (field.value->kind != YamlKind::map) {
    if (field.value->kind == YamlKind::text) {
      const auto span = read_span(field, reading);
      return span ? std::optional<Latency>(FixedLatency{*span}) : std::nullopt;
    }
    reading.report(
        field, "expected a duration such as 80ms, {p50: 80ms, p99: 900ms} or {min: 10ms, max: 50ms}, got " +
                   describe(*field.value));
    return std::nullopt;
  }
  Fields fields(field, reading.diagnostics);
  const auto p50 = fields.take("p50");
  const auto p99 = fields.take("p99");
  const auto min = fields.take("min");
  const auto max = fields.take("max");
  fields.finish();
  if (p50 && p99 && !min && !max) return read_log_normal(*p50, *p99, reading);
  if (max && !p50 && !p99) return read_uniform(min, max, reading);
  reading.report(field, "expected either p50 and p99, or min and max");
  return std::nullopt;
}

std::optional<Rate> read_rate(const Field& field, const Reading& reading) {
  if (field.value->kind == YamlKind::text) {
    if (const auto rate = parse_rate(field.value->text)) return rate;
  }
  reading.report(
      field, "expected a rate such as 5/s, 60/m or 0.5/h, at most 1000000/s, got " + describe(*field.value));
  return std::nullopt;
}

void read_outage(const Field& field, const Reading& reading, Outage& outage) {
  if (field.value->kind != YamlKind::map) {
    outage.rate = read_rate(field, reading).value_or(outage.rate);
    return;
  }
  Fields fields(field, reading.diagnostics);
  if (const auto rate = fields.take("rate")) {
    outage.rate = read_rate(*rate, reading).value_or(outage.rate);
  } else {
    reading.report(field, "needs \"rate\", such as {rate: 2/h, for: {min: 1s, max: 30s}}");
  }
  if (const auto lasts = fields.take("for")) {
    outage.lasts = read_latency(*lasts, reading).value_or(outage.lasts);
  }
  fields.finish();
}

void read_true(const Field& field, const Reading& reading) {
  if (field.value->kind == YamlKind::boolean && project::boolean_of(*field.value)) return;
  reading.report(field, "expected true, got " + describe(*field.value));
}

TimingFields TimingFields::take(Fields& fields) {
  return {fields.take("rate"), fields.take("every"), fields.take("at"), fields.take("count")};
}

TimingRead read_timing(const Field& owner, const TimingFields& fields, Duration duration,
                       const Reading& reading) {
  TimingRead read;
  const int given = int{fields.rate.has_value()} + int{fields.every.has_value()} + int{fields.at.has_value()};
  if (given != 1) {
    reading.report(owner, "needs exactly one of \"rate\" (5/s), \"every\" (200ms) and \"at\" ([0s, 10s])");
  }
  if (fields.count) {
    const auto most = static_cast<std::int64_t>(kMaxArrivals);
    read.count = static_cast<std::uint64_t>(
        project::read_integer(*fields.count, 1, most, reading.diagnostics).value_or(most));
  }
  if (fields.rate) {
    const Rate rate = read_rate(*fields.rate, reading).value_or(Rate{});
    read.timing = rate;
    if (!fields.count) check_amount(*fields.rate, rate.mean_gap, duration, reading);
  }
  if (fields.every) {
    const auto gap = project::read_timeout(*fields.every, reading.diagnostics);
    read.timing = Every{gap.value_or(duration + Duration(1))};
    if (gap && !fields.count) check_amount(*fields.every, *gap, duration, reading);
  }
  if (fields.at) read.timing = read_times(*fields.at, duration, reading);
  return read;
}

project::ExpressionReader expressions(const Reading& reading, std::vector<std::string> names) {
  names.emplace_back("at_ms");
  Diagnostics& diagnostics = reading.diagnostics;
  return project::ExpressionReader(
      diagnostics, [&diagnostics, names = std::move(names)](
                       const Field& field, const expr::Reference& reference, std::size_t offset) {
        const std::string& name = reference.path.front();
        if (name == kRandom) {
          if (reference.path.size() == 2) return;
          diagnostics.add_inside(field, offset,
                                 "write random.NAME, a number from 0 to 1 that is the same wherever the name "
                                 "stands in this entry, such as random.quantity");
        } else if (std::ranges::find(names, name) == names.end()) {
          std::vector<std::string> known = names;
          known.emplace_back(kRandom);
          diagnostics.add_inside(field, offset,
                                 "no name \"" + name + "\" here" + project::did_you_mean(name, known));
        }
      });
}

void hold_to(const std::optional<schema::Schema>& schema, const expr::Template& value, const Field& field,
             std::string_view whose, const Reading& reading) {
  if (!schema || !value.is_literal()) return;
  const auto json = value.render(expr::Bindings());
  if (!json) return;
  const auto violations = schema->validate_json(json->bytes());
  if (!violations) return;
  for (const schema::Violation& violation : *violations) {
    const Field culprit = project::field_at(field, violation.path);
    reading.report(culprit, "breaks the schema of " + std::string(whose) + ": " + violation.message);
  }
}

std::optional<std::string> load_file(const Field& field, const Reading& reading) {
  const auto path = project::read_text(field, reading.diagnostics);
  if (!path) return std::nullopt;
  auto text = reading.load(*path);
  if (text) return *std::move(text);
  reading.report(field, text.error().message);
  return std::nullopt;
}

std::optional<std::string> read_workflow(const Field& field, const Reading& reading) {
  auto name = project::read_text(field, reading.diagnostics);
  if (!name) return std::nullopt;
  const auto& workflows = reading.project.workflows;
  if (!name->starts_with('@') && workflows.contains(*name)) return name;
  reading.report(field, "no workflow \"" + *name + "\"" + reading.diagnostics.nearest(*name, workflows));
  return std::nullopt;
}

}  // namespace ganglion::scenario

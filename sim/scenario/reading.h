#pragma once

// What the parts of a scenario's reader share: the project that the scenario is about, and values that many
// keys have. Each reports what is wrong with its field.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/schema.h"
#include "core/workflow.h"
#include "project/expression_reader.h"
#include "project/fields.h"
#include "sim/scenario/scenario.h"
#include "sim/scenario/scenario_reader.h"

namespace ganglion::scenario {

using project::Diagnostics;
using project::Field;
using project::Fields;
using project::YamlKind;

struct Reading {
  const Project& project;
  const LoadFile& load;
  Diagnostics& diagnostics;

  void report(const Field& field, std::string message) const {
    diagnostics.add(field.position, field.path, std::move(message));
  }
  // The items of a list of at most `most`; empty where it is none. `example` shows what one looks like.
  std::vector<Field> items(const Field& field, std::size_t most, std::string_view example) const;
};

// A number from 0 to 1.
Chance read_chance(const Field& field, const Reading& reading);
// A duration of at most kMaxSpan.
std::optional<Duration> read_span(const Field& field, const Reading& reading);
// 80ms, {p50: 80ms, p99: 900ms} or {min: 10ms, max: 50ms}.
std::optional<Latency> read_latency(const Field& field, const Reading& reading);
// 5/s, 500/m, 0.5/h
std::optional<Rate> read_rate(const Field& field, const Reading& reading);
// A rate, or {rate: 2/h, for: LATENCY}. What it doesn't say stays as it is.
void read_outage(const Field& field, const Reading& reading, Outage& outage);
// `true` and nothing else.
void read_true(const Field& field, const Reading& reading);

// One of `rate`, `every` and `at`, beside `count`.
struct TimingFields {
  std::optional<Field> rate, every, at, count;

  static TimingFields take(Fields& fields);
};
struct TimingRead {
  Timing timing = Rate{};
  std::uint64_t count = kMaxArrivals;
};
TimingRead read_timing(const Field& owner, const TimingFields& fields, Duration duration,
                       const Reading& reading);

// Expressions that may use these names, `at_ms` and `random.NAME`.
project::ExpressionReader expressions(const Reading& reading, std::vector<std::string> names);

// Reports where a value without expressions breaks the schema.
void hold_to(const std::optional<schema::Schema>& schema, const expr::Template& value, const Field& field,
             std::string_view whose, const Reading& reading);

// The text of a file that the field names.
std::optional<std::string> load_file(const Field& field, const Reading& reading);

// The name of a workflow that can be started from outside.
std::optional<std::string> read_workflow(const Field& field, const Reading& reading);

}  // namespace ganglion::scenario

#include "sim/scenario/arrivals.h"

#include <algorithm>
#include <utility>

#include "sim/scenario/draw_scope.h"

namespace ganglion::scenario {
namespace {

DrawScope scope_of(std::uint64_t index, Duration at, const Draws& draws) {
  DrawScope scope(draws.at("values", index), at);
  scope.set("index", expr::Value::integer(static_cast<std::int64_t>(index)));
  return scope;
}

// A text as it is, everything else as JSON.
Result<std::string> render_text(const expr::Template& text, const expr::Scope& scope) {
  auto value = text.evaluate(scope);
  if (!value) return std::unexpected(value.error());
  if (value->is(expr::Kind::string)) return value->as_string();
  auto json = value->to_json();
  if (!json) return std::unexpected(json.error());
  return std::string(json->bytes());
}

}  // namespace

std::vector<Duration> arrival_times(const Arrivals& arrivals, Duration end, const Draws& draws) {
  if (arrivals.recorded.empty()) return moments(arrivals.timing, end, arrivals.count, draws.at("times"));
  std::vector<Duration> times;
  for (const RecordedRun& run : arrivals.recorded) {
    if (run.offset >= end || times.size() >= arrivals.count) break;
    times.push_back(run.offset);
  }
  return times;
}

Result<NewRun> make_run(const Arrivals& arrivals, std::uint64_t index, Duration at, const Draws& draws) {
  if (!arrivals.recorded.empty()) {
    const RecordedRun& run = arrivals.recorded[index];
    return NewRun{run.workflow, run.input, run.session_id, run.labels};
  }
  const DrawScope scope = scope_of(index, at, draws);
  auto input = arrivals.input.render(scope);
  if (!input) return std::unexpected(input.error());
  NewRun run{.workflow = arrivals.workflow, .input = *std::move(input), .session_id = {}, .labels = {}};
  if (arrivals.session) {
    auto session = render_text(*arrivals.session, scope);
    if (!session) return std::unexpected(session.error());
    run.session_id = *std::move(session);
  }
  for (const auto& [name, label] : arrivals.labels) {
    auto text = render_text(label, scope);
    if (!text) return std::unexpected(text.error());
    run.labels.emplace(name, *std::move(text));
  }
  return run;
}

std::vector<Duration> publication_times(const Publications& events, Duration end, const Draws& draws) {
  return moments(events.timing, end, events.count, draws.at("times"));
}

Result<Payload> make_data(const Publications& events, std::uint64_t index, Duration at, const Draws& draws) {
  return events.data.render(scope_of(index, at, draws));
}

Result<Payload> make_output(const Person& person, const std::string& step, const Payload& show, Duration at,
                            const Draws& draws) {
  if (!person.output) return Payload();
  DrawScope scope(draws.at("values"), at);
  scope.set("show", expr::Value::json(show)).set("step", expr::Value::string(step));
  return person.output->render(scope);
}

}  // namespace ganglion::scenario

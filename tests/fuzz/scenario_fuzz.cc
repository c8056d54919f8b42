// A scenario file from anybody, held against one project: it is a scenario or a list of errors that point
// into it, and never more. What is a scenario names nothing that the project doesn't have, and can be
// sampled.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "sim/scenario/agent_script.h"
#include "sim/scenario/arrivals.h"
#include "sim/scenario/expectations.h"
#include "sim/scenario/recorded.h"
#include "sim/scenario/scenario_testing.h"
#include "sim/scenario/totals.h"

namespace {

using namespace ganglion;
using namespace ganglion::scenario;

constexpr std::uint64_t kTries = 4;

void must(bool holds) {
  if (!holds) std::abort();
}

void check_agent(const AgentModel& agent) {
  must(project_of_tests().agents.contains(agent.name));
  AgentScript script(agent);
  for (std::uint64_t i = 0; i < kTries; ++i) {
    const Draws draws(i);
    const Call call{.place = {"order", "scan", std::nullopt, 1},
                    .input = Payload(R"({"id":"o1","qty":2})"),
                    .attempt = 1,
                    .idempotency_key = "r/0/0"};
    const Answer answer = script.answer(call, draw_luck(agent, draws), draws);
    must(answer.after >= Duration(0) && answer.after <= kMaxSpan);
    must(!answer.duplicate || !answer.crash);
  }
}

void check_traffic(const Scenario& scenario) {
  for (const Arrivals& arrivals : scenario.arrivals) {
    must(arrivals.workflow.empty() || project_of_tests().workflows.contains(arrivals.workflow));
    Arrivals few = arrivals;
    few.count = std::min(few.count, kTries);
    const auto times = arrival_times(few, scenario.duration, Draws(1));
    must(times.size() <= few.count);
    for (std::uint64_t i = 0; i < times.size(); ++i) {
      must(times[i] < scenario.duration && (i == 0 || times[i] >= times[i - 1]));
      static_cast<void>(make_run(few, i, times[i], Draws(1)));
    }
  }
  for (const Person& person : scenario.people) {
    static_cast<void>(make_output(person, "opinion", Payload("{}"), Duration(1), Draws(1)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string source(reinterpret_cast<const char*>(data), size);
  // The file may name itself as a recording.
  const LoadFile load = [&](const std::string&) -> Result<std::string> { return source; };
  const auto scenario = read_scenario(source, "simulation.yaml", project_of_tests(), load);
  if (!scenario) {
    must(!scenario.error().empty() && scenario.error().size() <= project::kMaxDiagnostics + 1);
    for (const auto& diagnostic : scenario.error()) {
      must(!diagnostic.message.empty() && diagnostic.line >= 0 && diagnostic.column >= 0);
      must(diagnostic.text().find('\n') == std::string::npos);
    }
    static_cast<void>(read_recorded_answers(source));
    static_cast<void>(read_recorded_runs(source));
    return 0;
  }
  for (const auto& [name, agent] : scenario->agents) check_agent(agent);
  check_traffic(*scenario);
  const Observed run = Observed::run(R"({"id":"r","status":"completed","steps":{}})");
  const Observed totals = Observed::totals(Totals(*scenario, project_of_tests()).json());
  for (const Expectation& expectation : scenario->expect) {
    static_cast<void>(holds(expectation, expectation.kind == ExpectationKind::totals ? totals : run));
  }
  return 0;
}

#include "bench/load/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "project/project.h"

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;

// What the first diagnostic says; empty for a valid project.
std::string problem_of(const Workload& workload) {
  const auto parsed = project::parse(workload.project, "bench.yaml");
  return parsed ? "" : parsed.error().front().text();
}

TEST(Workload, IsAValidProjectWhoseNeedsAreKnownSteps) {
  for (const std::string_view name : workload_names()) {
    const Workload workload = make_workload(name, 200);
    EXPECT_EQ(problem_of(workload), "") << name;
    std::set<std::string> known;
    for (const WorkloadStep& step : workload.steps) {
      for (const std::string& need : step.needs) EXPECT_TRUE(known.contains(need)) << name << ": " << need;
      known.insert(step.name);
    }
    EXPECT_EQ(workload.tasks_per_run, name == "fanout" ? 102u : workload.steps.size());
  }
}

TEST(Workload, TakesAnyPayload) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{2}, kMaxPayloadBytes}) {
    EXPECT_EQ(make_workload("pipeline", bytes).input.size(), std::max<std::size_t>(bytes, 2));
    EXPECT_EQ(problem_of(make_workload("fanout", bytes)), "");
  }
}

TEST(Workload, OfATraceHasItsNeedsTimesAndSizes) {
  std::vector<TracedCall> calls(3);
  calls[0] = {.name = "a", .took = 2s, .input_bytes = 100, .output_bytes = 50, .needs = {}, .quotes = {}};
  calls[1] = {.name = "b", .took = 1s, .input_bytes = 80, .output_bytes = 10, .needs = {0}, .quotes = {}};
  calls[2] = {
      .name = "c", .took = 1s, .input_bytes = 300, .output_bytes = 10, .needs = {0, 1}, .quotes = {0}};
  const Workload workload = make_trace_workload("chain", calls, 10);
  EXPECT_EQ(problem_of(workload), "");
  EXPECT_EQ(workload.steps[0].takes, 200ms);
  EXPECT_EQ(workload.steps[0].output.size(), 50u);
  EXPECT_THAT(workload.steps[2].needs, testing::ElementsAre("call_1", "call_2"));
  EXPECT_EQ(workload.shortest_run, 400ms);
  EXPECT_THAT(workload.project, testing::HasSubstr("steps.call_1.output"));
  EXPECT_EQ(workload.tasks_per_run, 3u);
}

}  // namespace
}  // namespace ganglion::bench

// A scenario file becomes a scenario.

#include "sim/scenario/scenario_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::SizeIs;

constexpr std::chrono::nanoseconds kHour = hours(1);

TEST(Scenario, of_the_least_that_must_be_said_has_defaults) {
  const Scenario scenario = scenario_of("simulation: 1\nproject: p/ganglion.yaml\n" + kPriced);
  EXPECT_EQ(scenario.project, "p/ganglion.yaml");
  EXPECT_EQ(scenario.duration, minutes(10));
  EXPECT_EQ(scenario.settle, minutes(30));
  EXPECT_EQ(scenario.engines, 1u);
  EXPECT_EQ(scenario.workers, 1u);
  EXPECT_EQ(scenario.capacity, 8u);
  EXPECT_EQ(scenario.cancels.rate, Chance(0));
  EXPECT_EQ(scenario.faults.engine_crash.rate, Rate{});
  EXPECT_EQ(scenario.faults.network.drop, Chance(0));
}

TEST(Scenario, has_every_agent_that_is_no_person_and_no_router) {
  const Scenario scenario = scenario_with("");
  EXPECT_THAT(scenario.agents, ElementsAre(Key("price"), Key("scan")));
  EXPECT_EQ(scenario.agents.at("scan").latency, Latency(UniformLatency{milliseconds(10), milliseconds(50)}));
  EXPECT_FALSE(scenario.agents.at("scan").output_schema);
  EXPECT_TRUE(scenario.agents.at("price").output_schema);
}

TEST(Scenario, says_how_large_and_how_long_it_is) {
  const Scenario scenario = scenario_of(
      "simulation: 1\nproject: g\nduration: 2h\nsettle: 1h\nengines: 3\nworkers: 4\n"
      "capacity: 2\n" +
      kPriced);
  EXPECT_EQ(scenario.duration, hours(2));
  EXPECT_EQ(scenario.settle, hours(1));
  EXPECT_EQ(scenario.engines, 3u);
  EXPECT_EQ(scenario.workers, 4u);
  EXPECT_EQ(scenario.capacity, 2u);
}

TEST(ScenarioAgents, have_luck_latency_usage_and_effects) {
  const AgentModel agent =
      agent_with(R"({latency: {p50: 80ms, p99: 900ms}, usage: {tokens: {min: 2, max: 9}, usd: 0.002},
    errors: {rate: 0.05, code: busy, message: too much, retryable: false}, hang: 0.01, garbage: 0.02,
    slow: {rate: 0.03, factor: 20}, duplicate: 0.04, crash: 0.001, effect: idempotent})");
  EXPECT_EQ(agent.latency, Latency(LogNormalLatency{milliseconds(80), milliseconds(900)}));
  EXPECT_EQ(agent.usage.tokens, (UsageModel::Range{2, 9}));
  EXPECT_EQ(agent.usage.nano_usd, (UsageModel::Range{2'000'000, 2'000'000}));
  EXPECT_EQ(agent.errors.rate, Chance(0.05));
  EXPECT_EQ(agent.errors.code, "busy");
  EXPECT_FALSE(agent.errors.retryable);
  EXPECT_EQ(agent.hang, Chance(0.01));
  EXPECT_EQ(agent.garbage, Chance(0.02));
  EXPECT_EQ(agent.slow.rate, Chance(0.03));
  EXPECT_EQ(agent.slow.factor, 20u);
  EXPECT_EQ(agent.duplicate, Chance(0.04));
  EXPECT_EQ(agent.crash, Chance(0.001));
  EXPECT_EQ(agent.effect, Effect::idempotent);
}

TEST(ScenarioAgents, take_latencies_in_three_forms) {
  EXPECT_EQ(agent_with("{latency: 80ms}").latency, Latency(FixedLatency{milliseconds(80)}));
  EXPECT_EQ(agent_with("{latency: {max: 1s}}").latency, Latency(UniformLatency{milliseconds(0), seconds(1)}));
  EXPECT_EQ(agent_with("{latency: {min: 1s, max: 2s}}").latency,
            Latency(UniformLatency{seconds(1), seconds(2)}));
}

TEST(ScenarioAgents, answer_from_a_recording) {
  const std::string journal =
      R"({"seq":1,"at":"2026-03-01T09:30:00.000Z","type":"run_created","data":{"workflow":"order","input":1}}
{"seq":2,"at":"2026-03-01T09:30:00.000Z","type":"task_scheduled","step":"scan","attempt":1,"data":{"agent":"scan","input":1}}
{"seq":3,"at":"2026-03-01T09:30:01.000Z","type":"task_succeeded","step":"scan","attempt":1,"data":{"output":2}})";
  const AgentModel agent = agent_with("{recorded: j.jsonl}", {{"j.jsonl", journal}});
  ASSERT_TRUE(agent.recorded);
  EXPECT_EQ(agent.recorded->size(), 1u);
}

TEST(ScenarioArrivals, come_by_rate_by_clock_or_at_given_times) {
  const Scenario scenario = scenario_with(R"(arrivals:
  - {workflow: order, rate: 5/s, count: 500, input: {id: 1}}
  - {workflow: order, every: 200ms, input: {id: 1}}
  - {workflow: order, at: [10s, 0s], input: {id: 1}}
  - {workflow: other, rate: 0.5/h})");
  ASSERT_THAT(scenario.arrivals, SizeIs(4));
  EXPECT_EQ(scenario.arrivals[0].timing, Timing(Rate{milliseconds(200)}));
  EXPECT_EQ(scenario.arrivals[0].count, 500u);
  EXPECT_EQ(scenario.arrivals[1].timing, Timing(Every{milliseconds(200)}));
  EXPECT_EQ(scenario.arrivals[1].count, kMaxArrivals);
  EXPECT_EQ(scenario.arrivals[2].timing, Timing(AtTimes{{seconds(0), seconds(10)}}));
  EXPECT_EQ(scenario.arrivals[3].timing, Timing(Rate{2 * kHour}));
}

TEST(ScenarioArrivals, may_be_recorded_ones_of_one_workflow) {
  const std::string runs =
      R"({"workflow":"order","created_at":"2026-03-01T09:30:00.000Z","input":1}
{"workflow":"gone","created_at":"2026-03-01T09:30:05.000Z","input":2})";
  const Scenario scenario =
      scenario_with("arrivals: [{workflow: order, recorded: r.jsonl, count: 9}]", {{"r.jsonl", runs}});
  ASSERT_THAT(scenario.arrivals.front().recorded, SizeIs(1));
  EXPECT_EQ(scenario.arrivals.front().count, 9u);
}

TEST(ScenarioPeople, decide_after_a_while) {
  const Scenario scenario = scenario_with(
      "people: [{by: ann, steps: [sign_off, opinion], after: {p50: 5m, p99: 2h}, approve: 0.8, comment: "
      "fine}, {by: bob}]");
  ASSERT_THAT(scenario.people, SizeIs(2));
  EXPECT_THAT(scenario.people[0].steps, ElementsAre("sign_off", "opinion"));
  EXPECT_EQ(scenario.people[0].after, Latency(LogNormalLatency{minutes(5), hours(2)}));
  EXPECT_EQ(scenario.people[0].approve, Chance(0.8));
  EXPECT_EQ(scenario.people[0].comment, "fine");
  EXPECT_EQ(scenario.people[1].approve, Chance(1));
}

TEST(ScenarioFaults, come_at_rates_and_last_a_while) {
  const Scenario scenario = scenario_with(R"(faults:
  engine_crash: 6/h
  engine_pause: {rate: 2/h, for: {min: 1s, max: 30s}}
  store_outage: {rate: 0.5/h, for: 3s}
  worker_crash: 1/m
  network: {drop: 0.001, duplicate: 0.002, delay: {p50: 1ms, p99: 50ms}, partition: {rate: 1/h, for: 2s}}
cancels: {rate: 0.02, after: {min: 0s, max: 10s}})");
  const Faults& faults = scenario.faults;
  EXPECT_EQ(faults.engine_crash.rate, Rate{kHour / 6});
  EXPECT_EQ(faults.engine_crash.lasts, Latency(UniformLatency{milliseconds(100), seconds(5)}));
  EXPECT_EQ(faults.engine_pause.lasts, Latency(UniformLatency{seconds(1), seconds(30)}));
  EXPECT_EQ(faults.store_outage.rate, Rate{kHour * 2});
  EXPECT_EQ(faults.worker_crash.rate, Rate{minutes(1)});
  EXPECT_EQ(faults.network.duplicate, Chance(0.002));
  EXPECT_EQ(faults.network.partition.lasts, Latency(FixedLatency{seconds(2)}));
  EXPECT_EQ(scenario.cancels.rate, Chance(0.02));
}

TEST(ScenarioExpectations, are_of_four_kinds) {
  const Scenario scenario = scenario_with(R"(expect:
  - always: "${{ run.status != 'failed' }}"
  - eventually: "${{ run.status == 'completed' }}"
  - sometimes: "${{ run.steps.scan.attempts > 1 }}"
  - totals: "${{ totals.workflows.order.latency.p99_ms < 5000 }}")");
  std::vector<ExpectationKind> kinds;
  for (const Expectation& expectation : scenario.expect) kinds.push_back(expectation.kind);
  using enum ExpectationKind;
  EXPECT_THAT(kinds, ElementsAre(always, eventually, sometimes, totals));
}

TEST(ProjectPath, is_read_before_anything_else_is_known) {
  EXPECT_EQ(*read_project_path("simulation: 7\nproject: a/b.yaml\nwrong: 1\n", "s.yaml"), "a/b.yaml");
  EXPECT_EQ(
      read_project_path("simulation: 1\n", "s.yaml").error().front().text(),
      "s.yaml:1:1: project: the project is missing: write \"project: ganglion.yaml\", a path from this file");
}

}  // namespace
}  // namespace ganglion::scenario

// What breaks, and what is left of it when only some of it may happen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/user_scenario/fault_weather.h"
#include "sim/user_scenario/user_scenario_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kProject = R"(
ganglion: 1
agents:
  stock: {kind: worker, timeout: 5s, retry: {max_attempts: 8, initial: 100ms}}
workflows:
  shipment: {steps: {stock: {agent: stock, input: "${{ input }}"}}}
)";

UserScenarioOptions with(const std::string& rest) {
  return options_of(kProject,
                    "simulation: 1\nproject: ganglion.yaml\nduration: 10m\n"
                    "arrivals: [{workflow: shipment, rate: 30/m}]\n"
                    "expect: [{eventually: \"${{ run.status == 'completed' }}\"}]\n" +
                        rest);
}

// --- each fault
// -------------------------------------------------------------------------------------------------------

struct Fault {
  const char* scenario;
  const char* shows;  // in the story
};

class EachFault : public ::testing::TestWithParam<Fault> {};

TEST_P(EachFault, has_an_effect_and_is_survived) {
  const auto options = with(GetParam().scenario);
  std::size_t shown = 0;
  const SeedResult result = run_user_scenario(
      1, {},
      [&](SimTime, std::string_view who, std::string_view what, std::string_view details) {
        const std::string line = std::string(who) + " " + std::string(what) + " " + std::string(details);
        if (line.find(GetParam().shows) != std::string::npos) ++shown;
      },
      options);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_GT(shown, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, EachFault,
    ::testing::Values(
        Fault{"faults: {engine_crash: 1/m}", "engine-1 dies"},
        Fault{"faults: {engine_pause: {rate: 1/m, for: 2s}}", "engine-1 goes on"},
        Fault{"faults: {store_outage: {rate: 1/m, for: 2s}}", "storm store.down"},
        Fault{"workers: 2\nfaults: {worker_crash: 2/m}", "worker-2 dies"},
        Fault{"faults: {network: {partition: {rate: 4/m, for: 2s}}}", "storm engine-1.store_partition"},
        Fault{"faults: {network: {partition: {rate: 4/m, for: 2s}}}", "storm engine-1.client_partition"},
        Fault{"agents: {stock: {errors: 0.1}}", "stock error shipment:"},
        Fault{"agents: {stock: {hang: 0.05}}", "stock hang shipment:"},
        Fault{"agents: {stock: {slow: 0.05}}", "stock slow shipment:"},
        Fault{"agents: {stock: {duplicate: 0.1}}", "stale_attempt"},
        Fault{"agents: {stock: {crash: 0.05}}", "worker-1 dies"}));

bool has_event(const SeedResult& result, std::string_view part) {
  return std::ranges::any_of(result.events,
                             [&](const std::string& e) { return e.find(part) != std::string::npos; });
}

TEST(FaultsTest, messages_are_lost_and_come_twice) {
  const SeedResult result = run(with("faults: {network: {drop: 0.02, duplicate: 0.05}}"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_TRUE(has_event(result, "client.shipment.lost_request:"));
  EXPECT_TRUE(has_event(result, "client.shipment.duplicate:"));
  EXPECT_TRUE(has_event(result, "worker-1.lost_answer:"));
}

TEST(FaultsTest, messages_take_the_time_that_is_asked_for) {
  const SeedResult soon = run(with("faults: {network: {delay: 1ms}}"));
  const SeedResult late = run(with("faults: {network: {delay: 300ms}}"));
  EXPECT_LT(total(soon, "latency.p50_ms"), 100);
  EXPECT_GT(total(late, "latency.p50_ms"), 500) << "to the worker, and back";
}

TEST(FaultsTest, a_garbled_answer_is_a_failed_attempt_where_there_is_a_schema) {
  const auto options = options_of(
      "ganglion: 1\nagents: {a: {kind: worker, output: {type: object}, retry: {max_attempts: 9}}}\n"
      "workflows: {w: {steps: {s: {agent: a}}}}\n",
      "simulation: 1\nproject: p\nagents: {a: {garbage: 0.3}}\narrivals: [{workflow: w, every: 10s, count: "
      "30}]\n");
  const SeedResult result = run(options);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_GT(total(result, "failures"), 3);
  EXPECT_EQ(total(result, "runs.completed"), 30);
}

TEST(FaultsTest, an_effect_of_a_worker_that_dies_before_its_report_has_happened) {
  const SeedResult result = run(with("agents: {stock: {crash: 0.1, effect: irreversible}}"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_GT(total(result, "effects.stock.duplicates"), 3);
  EXPECT_EQ(total(result, "effects.stock.distinct"), total(result, "runs.completed"));
}

TEST(FaultsTest, a_rate_is_shared_by_all_engines_or_workers) {
  scenario::Scenario scenario;
  scenario.engines = 2;
  scenario.workers = 4;
  scenario.faults.engine_crash.rate.mean_gap = std::chrono::minutes(10);
  scenario.faults.worker_crash.rate.mean_gap = std::chrono::minutes(10);
  scenario.faults.network.partition.rate.mean_gap = std::chrono::minutes(10);
  const Weather weather = weather_of(scenario);
  EXPECT_DOUBLE_EQ(weather.engine_crash.per_hour * 2, 6);
  EXPECT_DOUBLE_EQ(weather.worker_crash.per_hour * 4, 6);
  EXPECT_DOUBLE_EQ(2 * (weather.store_partition.per_hour + weather.client_partition.per_hour), 6);
}

// --- seeds and masks
// --------------------------------------------------------------------------------------------------

const std::string kEverything = R"(
engines: 2
workers: 3
agents: {stock: {errors: 0.05, hang: 0.01, slow: 0.02, duplicate: 0.05, crash: 0.01}}
cancels: {rate: 0.05}
faults:
  engine_crash: 10/h
  engine_pause: {rate: 10/h, for: 1s}
  store_outage: {rate: 10/h, for: 1s}
  worker_crash: 10/h
  network: {drop: 0.002, duplicate: 0.002, delay: {p50: 1ms, p99: 50ms}, partition: {rate: 5/h, for: 1s}}
)";

UserScenarioOptions everything() {
  return options_of(kProject,
                    "simulation: 1\nproject: ganglion.yaml\nduration: 10m\n"
                    "arrivals: [{workflow: shipment, rate: 30/m}]\n" +
                        kEverything);
}

TEST(FaultsTest, a_seed_is_the_same_story_each_time_and_another_seed_another_one) {
  const SeedResult once = run(everything(), 7);
  const SeedResult again = run(everything(), 7);
  EXPECT_EQ(once.trace, again.trace);
  EXPECT_EQ(once.events, again.events);
  EXPECT_EQ(once.totals, again.totals);
  EXPECT_NE(once.trace, run(everything(), 8).trace);
}

TEST(FaultsTest, all_events_of_a_seed_make_the_same_story_as_no_choice) {
  const SeedResult all = run(everything(), 7);
  const SeedResult chosen = run(everything(), 7, std::set(all.events.begin(), all.events.end()));
  EXPECT_EQ(all.trace, chosen.trace);
}

TEST(FaultsTest, only_the_chosen_events_happen) {
  EXPECT_THAT(run(everything(), 7, std::set<std::string>{}).events, IsEmpty());
  const auto options = with("agents: {stock: {errors: 0.1}}");
  const SeedResult all = run(options);
  const auto error =
      std::ranges::find_if(all.events, [](const auto& e) { return e.find(".error:1") != std::string::npos; });
  ASSERT_NE(error, all.events.end());
  const std::string arrival = "arrival." + error->substr(0, error->find('/'));
  const SeedResult one = run(options, 1, std::set{arrival, *error});
  EXPECT_THAT(one.events, ElementsAre(arrival, *error)) << "the luck of a run doesn't depend on other runs";
  EXPECT_EQ(total(one, "attempts"), 2);
  EXPECT_EQ(total(run(options, 1, std::set{arrival}), "attempts"), 1);
}

}  // namespace
}  // namespace ganglion::sim

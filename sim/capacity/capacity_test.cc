#include "sim/capacity/capacity.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "adapters/memory/store.h"
#include "sim/capacity/paper_model.h"

namespace ganglion::sim {
namespace {

using namespace std::chrono_literals;

CapacityResult simulate(const CapacityOptions& options) {
  CapacityWorld world(options, [](Clock& clock) { return std::make_unique<memory::Store>(clock); });
  world.warm_up();
  world.measure();
  return world.result();
}

// Costs that make small worlds full: an engine has 10 ms of work for a run's commits, the store has 100 µs.
CapacityOptions small() {
  CapacityOptions options;
  options.workers = 4;
  options.runs_per_s = 50;
  options.work = SimTime(20'000);
  options.warm_up = SimTime(500'000);
  options.measured = SimTime(2'000'000);
  options.engine = {.commit = 1'500us, .committed = 1'000us};
  options.store = {.write = SimTime(100), .per_commit = 25us, .most_writes = 64};
  return options;
}

TEST(CapacityTest, below_saturation_everything_that_is_offered_gets_done) {
  CapacityOptions options = small();
  options.measured = SimTime(8'000'000);
  const CapacityResult result = simulate(options);
  EXPECT_NEAR(result.runs_per_s, 50, 8);
  EXPECT_EQ(result.refused, 0u);
  EXPECT_NEAR(result.commits_per_step, 4.0 / 3, 0.1);
  EXPECT_NEAR(result.engine_busy.median, result.runs_per_s * 0.010, 0.05);
}

TEST(CapacityTest, at_saturation_an_engine_makes_one_over_its_service_time) {
  CapacityOptions options = small();
  options.runs_per_s = 200;
  const CapacityResult result = simulate(options);
  EXPECT_GT(result.engine_busy.least, 0.99);
  const double commits_per_s = result.commits_per_step * result.steps_per_s;
  EXPECT_NEAR(commits_per_s, 1 / 0.0025, 0.03 / 0.0025);
}

TEST(CapacityTest, delays_grow_with_the_load) {
  double before = 0;
  for (const double rate : {20.0, 60.0, 90.0, 150.0}) {
    CapacityOptions options = small();
    options.runs_per_s = rate;
    const double delay = simulate(options).wait_p99_ms;
    EXPECT_GT(delay, before * 1.2) << rate;
    before = delay;
  }
}

TEST(CapacityTest, twice_the_coordinators_take_twice_the_load_until_the_store_is_full) {
  CapacityOptions options = small();
  options.coordinators = 2;
  options.runs_per_s = 180;
  const CapacityResult two = simulate(options);
  EXPECT_NEAR(two.runs_per_s, 180, 25);
  EXPECT_LT(two.engine_busy.most, 1.001);

  // The store's thread has 4 ms of work for a run, and the engines next to none.
  options.engine = {.commit = 1us};
  options.store.per_commit = 1ms;
  options.runs_per_s = 400;
  const CapacityResult full = simulate(options);
  EXPECT_LT(full.engine_busy.most, 0.01);
  EXPECT_GT(full.store_busy, 0.99);
  EXPECT_NEAR(full.commits_per_step * full.steps_per_s,
              1'000 * full.writes_per_group / (full.writes_per_group + 0.1), 30);
}

TEST(CapacityTest, two_worlds_of_one_seed_are_one) {
  CapacityOptions options = small();
  options.coordinators = 2;
  const CapacityResult one = simulate(options), other = simulate(options);
  EXPECT_EQ(one.wait_p99_ms, other.wait_p99_ms);
  EXPECT_EQ(one.engine_busy.most, other.engine_busy.most);
  EXPECT_EQ(one.network_bytes_per_step, other.network_bytes_per_step);
  options.seed = 2;
  EXPECT_NE(simulate(options).wait_p99_ms, one.wait_p99_ms);
}

TEST(CapacityTest, an_engine_that_starts_again_takes_time_for_every_open_run) {
  CapacityOptions options = small();
  options.work = SimTime(10'000'000);
  options.engine = {.open_run = 100us};
  options.store.per_open_run = 50us;
  const auto restart = [&](double rate) {
    options.runs_per_s = rate;
    CapacityWorld world(options, [](Clock& clock) { return std::make_unique<memory::Store>(clock); });
    world.warm_up();
    const auto open = static_cast<double>(world.open_runs());
    return std::pair(open, static_cast<double>(world.restart().count()));
  };
  const auto [few, short_time] = restart(200);
  const auto [many, long_time] = restart(2'000);
  EXPECT_GT(many, 5 * few);
  EXPECT_NEAR((long_time - short_time) / (many - few), 150, 15) << "microseconds a run";
}

TEST(PaperModelTest, says_where_a_simulated_world_is_full) {
  CapacityOptions options = small();
  const StepCost cost{.requests = 2, .commits = 4.0 / 3, .entries = 8.0 / 3};
  const PaperModel paper(options.engine, options.store, cost);
  EXPECT_NEAR(paper.engine_steps_per_s(), 300, 1);
  EXPECT_NEAR(paper.store_steps_per_s(), 1 / (4.0 / 3 * (25e-6 + 100e-6 / 64)), 1);
  const double limit = paper.steps_per_s(1) / kCapacitySteps;
  options.measured = SimTime(8'000'000);
  options.runs_per_s = 0.85 * limit;
  const CapacityResult below = simulate(options);
  EXPECT_NEAR(below.runs_per_s, options.runs_per_s, 0.1 * limit);
  options.runs_per_s = 1.2 * limit;
  const CapacityResult beyond = simulate(options);
  EXPECT_LT(beyond.runs_per_s, limit);
  EXPECT_GT(beyond.wait_p50_ms, 4 * below.wait_p50_ms);
}

}  // namespace
}  // namespace ganglion::sim

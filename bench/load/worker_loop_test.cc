#include "bench/load/worker_loop.h"

#include <gtest/gtest.h>

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;

constexpr Steady::time_point kNow(1000s);

TEST(Turnarounds, OfAStepAreSinceTheLastResultThatItNeeds) {
  const Workload workload =
      make_workload("logistics", 200);  // data → (address, inventory) → routing → hand-off
  Turnarounds turnarounds(workload);
  EXPECT_FALSE(turnarounds.arrived("r", 0, kNow));
  turnarounds.sent("r", 0, kNow);
  EXPECT_EQ(turnarounds.arrived("r", 1, kNow + 2ms), 2ms);
  turnarounds.sent("r", 1, kNow + 3ms);
  EXPECT_EQ(turnarounds.arrived("r", 2, kNow + 4ms), 4ms);  // doesn't need the address
  turnarounds.sent("r", 2, kNow + 5ms);
  EXPECT_EQ(turnarounds.arrived("r", 3, kNow + 6ms), 1ms);
  EXPECT_FALSE(turnarounds.arrived("another", 3, kNow + 6ms));
}

TEST(Turnarounds, OfAJoinAreSinceTheLastItemAndARunIsForgottenWithItsLastTask) {
  const Workload workload = make_workload("fanout", 10);
  Turnarounds turnarounds(workload);
  turnarounds.sent("r", 0, kNow);
  for (std::size_t item = 1; item <= kFanOut; ++item) {
    EXPECT_TRUE(turnarounds.arrived("r", 1, kNow + 1ms));
    turnarounds.sent("r", 1, kNow + item * 1ms);
  }
  EXPECT_EQ(turnarounds.arrived("r", 2, kNow + 103ms), 3ms);
  EXPECT_EQ(turnarounds.open_runs(), 1u);
  turnarounds.sent("r", 2, kNow + 103ms);
  EXPECT_EQ(turnarounds.open_runs(), 0u);
}

TEST(Turnarounds, OfADelegationAreForgottenWithTheLastTaskOfEachRun) {
  Turnarounds turnarounds(make_workload("delegation", 10));
  turnarounds.sent("parent", 0, kNow);
  turnarounds.sent("child", 1, kNow);
  EXPECT_EQ(turnarounds.open_runs(), 1u);
  turnarounds.sent("parent", 2, kNow);
  EXPECT_EQ(turnarounds.open_runs(), 0u);
}

}  // namespace
}  // namespace ganglion::bench

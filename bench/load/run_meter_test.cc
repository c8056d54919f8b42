#include "bench/load/run_meter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;

constexpr Steady::time_point kStart(1000s);
constexpr Window kTenSeconds{.begin = kStart, .end = kStart + 10s};

// One client and a server that answers within a millisecond, but for a stall.
void drive(RunMeter& meter, Steady::time_point stall, Steady::duration stalls_for) {
  Steady::time_point now = kStart;
  while (const auto intended = meter.next(now)) {
    now = std::max(now, *intended) + 1ms;
    if (now > stall && now < stall + stalls_for) now = stall + stalls_for;
    meter.completed(*intended, now);
  }
}

TEST(RunMeter, OfAnOpenLoopCountsTheRunsThatAStallKeptWaiting) {
  RunMeter meter(kTenSeconds, kStart, 100);
  drive(meter, kStart + 3s, 2s);
  // 200 of 1,000 runs were meant to start within the stall: their waits run evenly from 2 s to 0.
  EXPECT_EQ(meter.latency().count(), 1000u);
  EXPECT_NEAR(std::chrono::duration<double>(meter.latency().quantile(0.99)).count(), 1.93, 0.1);
  EXPECT_NEAR(std::chrono::duration<double>(meter.latency().quantile(0.9)).count(), 1.09, 0.15);
  EXPECT_LT(meter.latency().quantile(0.7), 10ms);
}

TEST(RunMeter, OfAClosedLoopSeesAStallOnce) {
  RunMeter meter(kTenSeconds, kStart, std::nullopt);
  drive(meter, kStart + 3s, 2s);
  EXPECT_NEAR(static_cast<double>(meter.latency().count()), 8000, 5);
  EXPECT_LT(meter.latency().quantile(0.999), 2ms);
  EXPECT_GT(meter.latency().max(), 1900ms);
}

TEST(RunMeter, KeepsTheRateWithoutDrift) {
  RunMeter meter({.begin = kStart, .end = kStart + 1h}, kStart, 3);
  std::optional<Steady::time_point> last;
  for (int i = 0; i <= 9'000; ++i) last = meter.next(kStart);
  EXPECT_LT(*last - (kStart + 3000s), 1us);
}

TEST(RunMeter, LeavesTheWarmUpOut) {
  RunMeter open({.begin = kStart + 2s, .end = kStart + 4s}, kStart, 10);
  while (const auto intended = open.next(kStart)) open.completed(*intended, *intended + 3s);
  EXPECT_EQ(open.latency().count(), 20u);  // meant to start within the window, though they end after it
  EXPECT_EQ(open.ended_in_window(), 10u);  // those of the warm-up's second half

  RunMeter closed({.begin = kStart + 2s, .end = kStart + 4s}, kStart, std::nullopt);
  closed.completed(kStart, kStart + 1s);
  closed.completed(kStart + 1s, kStart + 2500ms);
  EXPECT_EQ(closed.latency().count(), 1u);
}

TEST(RunMeter, CountsWhatNeverEndedWithTheTimeThatItHasTaken) {
  RunMeter meter(kTenSeconds, kStart, 1);
  const auto first = meter.next(kStart);
  meter.unfinished(*first, kStart + 40s);
  meter.abandon_the_rest(kStart + 40s);
  EXPECT_EQ(meter.unfinished_runs(), 10u);
  EXPECT_EQ(meter.latency().count(), 10u);
  EXPECT_EQ(meter.latency().max(), 40s);
  EXPECT_GE(meter.latency().quantile(0.01), 30s);
  EXPECT_EQ(meter.ended_in_window(), 0u);
}

}  // namespace
}  // namespace ganglion::bench

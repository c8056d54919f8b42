#include "agents/rate_limiter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace ganglion::agents {
namespace {

constexpr Timestamp kStart(1'700'000'000'000);

// Everything that is allowed at `now`.
int take_all(RateLimiter& limiter, Timestamp now) {
  int taken = 0;
  for (; limiter.admits(now); ++taken) limiter.take(now);
  return taken;
}

TEST(RateLimiter, BeginsWithOneAndGoesOnEvenly) {
  RateLimiter limiter({.count = 60, .per = Duration(60'000)}, kStart);
  EXPECT_EQ(take_all(limiter, kStart), 1);
  EXPECT_EQ(limiter.next(), kStart + Duration(1'000));
  EXPECT_EQ(take_all(limiter, kStart + Duration(999)), 0);
  EXPECT_EQ(take_all(limiter, kStart + Duration(1'000)), 1);
}

TEST(RateLimiter, APauseSavesUpASecondsWorthAndNoMore) {
  RateLimiter limiter({.count = 20, .per = Duration(1'000)}, kStart);
  EXPECT_EQ(take_all(limiter, kStart), 1);
  EXPECT_EQ(take_all(limiter, kStart + Duration(500)), 10);
  EXPECT_EQ(take_all(limiter, kStart + Duration(60'000)), 20);
}

TEST(RateLimiter, ASlowRateSavesUpOne) {
  RateLimiter limiter({.count = 6, .per = Duration(60'000)}, kStart);
  EXPECT_EQ(take_all(limiter, kStart), 1);
  EXPECT_EQ(take_all(limiter, kStart + Duration(3'600'000)), 1);
}

TEST(RateLimiter, AMillionASecondIsAThousandAMillisecond) {
  RateLimiter limiter({.count = 1'000'000, .per = Duration(1'000)}, kStart);
  take_all(limiter, kStart);
  EXPECT_EQ(take_all(limiter, kStart + Duration(1)), 1'000);
}

TEST(RateLimiter, WhatIsGivenBackAtOnceMayBeTakenAgain) {
  RateLimiter limiter({.count = 1, .per = Duration(60'000)}, kStart);
  limiter.take(kStart);
  limiter.give_back(kStart, kStart);
  EXPECT_EQ(take_all(limiter, kStart), 1);
}

TEST(RateLimiter, WhatTimeHasGivenBackIsNotGivenBackTwice) {
  RateLimiter limiter({.count = 1, .per = Duration(1'000)}, kStart);
  limiter.take(kStart);
  limiter.take(kStart + Duration(1'000));
  limiter.give_back(kStart, kStart + Duration(1'000));
  EXPECT_EQ(limiter.next(), kStart + Duration(2'000));
}

TEST(RateLimiter, AHigherRateHoldsAtOnceAndGivesNothingAway) {
  RateLimiter limiter({.count = 1, .per = Duration(3'600'000)}, kStart);
  limiter.take(kStart);
  limiter.configure({.count = 100, .per = Duration(1'000)}, kStart);
  EXPECT_EQ(take_all(limiter, kStart), 0);
  EXPECT_EQ(limiter.next(), kStart + Duration(10));
}

TEST(RateLimiter, ALowerRateTakesTheSavedUpBurstAway) {
  RateLimiter limiter({.count = 100, .per = Duration(1'000)}, kStart);
  const Timestamp later = kStart + Duration(10'000);
  limiter.configure({.count = 1, .per = Duration(10'000)}, later);
  EXPECT_EQ(take_all(limiter, later), 1);
  EXPECT_EQ(limiter.next(), later + Duration(10'000));
}

TEST(RateLimiter, ChangingTheRateToAndFroGivesNothingAway) {
  RateLimiter limiter({.count = 1, .per = Duration(1'000)}, kStart);
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    limiter.configure({.count = i % 2 == 0 ? 7U : 1U, .per = Duration(1'000)}, kStart);
    taken += take_all(limiter, kStart);
  }
  EXPECT_EQ(taken, 1);
}

RC_GTEST_PROP(RateLimiterProperty, NoTimeHoldsMoreThanItsBurstAndItsRate, ()) {
  const auto count = *rc::gen::inRange(1U, 50U);
  const auto per = *rc::gen::element(10, 1'000, 7'777, 60'000);
  const Rate rate{.count = count, .per = Duration(per)};
  const double per_ms = static_cast<double>(count) / per;
  const double burst = std::max(1.0, std::floor(1'000 * per_ms));
  RateLimiter limiter(rate, kStart);
  Timestamp now = kStart;
  std::vector<Timestamp> taken;
  const auto steps = *rc::gen::resize(100, rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400)));
  for (const int step : steps) {
    now = now + Duration(step / 2);
    if (!limiter.admits(now)) {
      RC_ASSERT(limiter.next() > now);
      continue;
    }
    limiter.take(now);
    // Every fourth is not used.
    if (step % 4 == 0) {
      limiter.give_back(now, now);
    } else {
      taken.push_back(now);
    }
  }
  for (std::size_t first = 0; first < taken.size(); ++first) {
    for (std::size_t last = first; last < taken.size(); ++last) {
      const auto time = static_cast<double>((taken[last] - taken[first]).count());
      RC_ASSERT(static_cast<double>(last - first + 1) <= burst + time * per_ms + 1e-6);
    }
  }
}

}  // namespace
}  // namespace ganglion::agents

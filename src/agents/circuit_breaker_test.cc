#include "agents/circuit_breaker.h"

#include <gtest/gtest.h>

namespace ganglion::agents {
namespace {

constexpr Timestamp kStart(1'700'000'000'000);

AttemptToken token_of(std::uint32_t item) {
  return {RunId::make(kStart, 1, 2), StepIndex(0), ItemIndex(item), Attempt(1)};
}

// 3 failures within 30 s open it for 10 s.
class BreakerTest : public ::testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker.failed(token_of(1), now);
  }
  void hand_out(std::uint32_t item) { breaker.handed_out(token_of(item), now); }
  BreakerState state() const { return breaker.state(now); }

  Timestamp now = kStart;
  Breaker breaker{{.failures = 3, .window = Duration(30'000), .open = Duration(10'000)}};
};

TEST_F(BreakerTest, OpensWithTheLastFailureOfItsNumber) {
  fail(2);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_TRUE(breaker.admits(now));
  fail(1);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_FALSE(breaker.admits(now));
  EXPECT_EQ(breaker.open_until(now), kStart + Duration(10'000));
}

TEST_F(BreakerTest, FailuresOlderThanTheWindowDontCount) {
  fail(1);
  now = now + Duration(29'999);
  fail(1);
  now = now + Duration(1);
  fail(1);
  EXPECT_EQ(state(), BreakerState::closed);
  fail(1);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(BreakerTest, AnswersBetweenFailuresDontMakeThemForgotten) {
  fail(2);
  breaker.answered(token_of(2));
  fail(1);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(BreakerTest, AfterItsTimeOneAttemptIsLetThroughAndNoSecond) {
  fail(3);
  now = now + Duration(9'999);
  EXPECT_FALSE(breaker.admits(now));
  now = now + Duration(1);
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_EQ(breaker.open_until(now), std::nullopt);
  EXPECT_TRUE(breaker.admits(now));
  hand_out(7);
  EXPECT_FALSE(breaker.admits(now));
}

TEST_F(BreakerTest, TheProbesAnswerClosesItAndStartsTheCountAnew) {
  fail(3);
  now = now + Duration(10'000);
  hand_out(7);
  breaker.answered(token_of(7));
  EXPECT_EQ(state(), BreakerState::closed);
  fail(2);
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(BreakerTest, TheProbesFailureOpensItForItsWholeTimeAgain) {
  fail(3);
  now = now + Duration(12'000);
  hand_out(7);
  breaker.failed(token_of(7), now);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(breaker.open_until(now), now + Duration(10'000));
}

TEST_F(BreakerTest, OutcomesOfEarlierAttemptsChangeNothingOnceItHasOpened) {
  fail(3);
  breaker.answered(token_of(4));
  EXPECT_EQ(state(), BreakerState::open);
  now = now + Duration(10'000);
  hand_out(7);
  breaker.failed(token_of(5), now);
  breaker.answered(token_of(6));
  breaker.abandoned(token_of(6));
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_FALSE(breaker.admits(now));
}

TEST_F(BreakerTest, AProbeThatEndsWithoutAnOutcomeMakesRoomForAnother) {
  fail(3);
  now = now + Duration(10'000);
  hand_out(7);
  breaker.abandoned(token_of(7));
  EXPECT_TRUE(breaker.admits(now));
}

TEST_F(BreakerTest, OneFailureIsEnoughWhereTheSettingsSaySo) {
  breaker.configure({.failures = 1, .window = Duration(1), .open = Duration(5)});
  fail(1);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(BreakerTest, NewSettingsHoldFromTheNextFailureOn) {
  fail(2);
  breaker.configure({.failures = 2, .window = Duration(30'000), .open = Duration(50)});
  EXPECT_EQ(state(), BreakerState::closed);
  fail(1);
  EXPECT_EQ(breaker.open_until(now), now + Duration(50));
}

}  // namespace
}  // namespace ganglion::agents

#include "adapters/system/asio_loop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/asio/asio.h"

namespace ganglion {
namespace {

class AsioLoopTest : public testing::Test {
 protected:
  asio::io_context context_{1};
  AsioLoop loop_{context_};
};

TEST_F(AsioLoopTest, TimersFireInOrderAndNeverEarly) {
  const Timestamp start = loop_.now();
  std::vector<std::int64_t> fired;
  for (const int wait : {20, 0, 5, 10, 5, -3}) {
    loop_.at(start + Duration(wait), [this, &fired, start, wait] {
      EXPECT_GE(loop_.now(), start + Duration(wait));
      fired.push_back(wait);
    });
  }
  context_.run();
  EXPECT_EQ(fired, (std::vector<std::int64_t>{-3, 0, 5, 5, 10, 20}));
}

TEST_F(AsioLoopTest, NothingRunsInsideTheCallThatAskedForIt) {
  int ran = 0;
  loop_.at(loop_.now() - Duration(1000), [&] { ++ran; });
  loop_.post([&] { ++ran; });
  EXPECT_EQ(ran, 0);
  context_.run();
  EXPECT_EQ(ran, 2);
}

TEST_F(AsioLoopTest, ACancelledTimerNeverFires) {
  bool cancelled_fired = false;
  bool other_fired = false;
  const TimerId timer = loop_.at(loop_.now() + Duration(2), [&] { cancelled_fired = true; });
  loop_.at(loop_.now() + Duration(4), [&] { other_fired = true; });
  loop_.cancel(timer);
  loop_.cancel(timer);
  context_.run();
  EXPECT_FALSE(cancelled_fired);
  EXPECT_TRUE(other_fired);
}

TEST_F(AsioLoopTest, ACallbackMayCancelATimerThatIsDueInTheSameMoment) {
  bool fired = false;
  const Timestamp when = loop_.now() + Duration(2);
  TimerId second;
  loop_.at(when, [&] { loop_.cancel(second); });
  second = loop_.at(when, [&] { fired = true; });
  context_.run();
  EXPECT_FALSE(fired);
}

TEST_F(AsioLoopTest, AnEarlierTimerIsNotHeldUpByALaterOneThatIsArmed) {
  bool late_fired = false;
  bool early_fired = false;
  const TimerId late = loop_.at(loop_.now() + std::chrono::hours(24 * 3650), [&] { late_fired = true; });
  loop_.at(loop_.now() + Duration(1), [&] {
    early_fired = true;
    loop_.cancel(late);
    context_.stop();
  });
  context_.run();
  EXPECT_TRUE(early_fired);
  EXPECT_FALSE(late_fired);
}

TEST_F(AsioLoopTest, AHundredThousandTimersAllFireOnce) {
  constexpr int kTimers = 100'000;
  int fired = 0;
  const Timestamp start = loop_.now();
  for (int i = 0; i < kTimers; ++i) loop_.at(start + Duration(i % 50), [&fired] { ++fired; });
  context_.run();
  EXPECT_EQ(fired, kTimers);
}

TEST_F(AsioLoopTest, TimeStartsNowAndNeverLiesBehindTheStore) {
  const auto system =
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  EXPECT_LT(std::abs((loop_.now() - Timestamp(system.count())).count()), 60'000);

  const Timestamp stored = loop_.now() + std::chrono::hours(24);
  loop_.not_before(stored);
  EXPECT_GE(loop_.now(), stored);
  loop_.not_before(stored - std::chrono::hours(48));
  EXPECT_GE(loop_.now(), stored);
}

TEST_F(AsioLoopTest, ATimerThatIsDueBecauseTimeWasMovedFires) {
  bool fired = false;
  const Timestamp when = loop_.now() + std::chrono::hours(2);
  loop_.at(when, [&] { fired = true; });
  loop_.not_before(when);
  context_.run();
  EXPECT_TRUE(fired);
}

TEST_F(AsioLoopTest, OtherThreadsPostInOrder) {
  const auto guard = asio::make_work_guard(context_);
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop_.post_from_thread([&seen, i] { seen.push_back(i); });
    loop_.post_from_thread([&] { context_.stop(); });
  });
  context_.run();
  other.join();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(AsioLoop, TimersDieWithTheLoop) {
  asio::io_context context{1};
  bool fired = false;
  {
    AsioLoop loop(context);
    loop.at(loop.now(), [&] { fired = true; });
  }
  context.run();
  EXPECT_FALSE(fired);
}

}  // namespace
}  // namespace ganglion

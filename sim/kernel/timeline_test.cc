#include "sim/kernel/timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/draw.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TimelineTest : public ::testing::Test {
 protected:
  Timeline::Callback note(std::string name) {
    return [this, name = std::move(name)] {
      story_.push_back(name + "@" + std::to_string(timeline_.now().count()));
    };
  }

  Timeline timeline_;
  std::vector<std::string> story_;
};

TEST_F(TimelineTest, what_is_earlier_comes_first_and_at_one_moment_what_was_asked_for_first) {
  timeline_.at(SimTime(20), note("c"));
  timeline_.at(SimTime(10), note("a"));
  timeline_.at(SimTime(20), note("d"));
  timeline_.at(SimTime(10), note("b"));
  timeline_.run_until(SimTime(100));
  EXPECT_THAT(story_, ElementsAre("a@10", "b@10", "c@20", "d@20"));
  EXPECT_EQ(timeline_.steps(), 4u);
}

TEST_F(TimelineTest, many_moments_come_in_order_also_when_others_are_called_off_between_them) {
  Draw draw(1);
  std::vector<std::pair<SimTime, int>> expected, seen;
  std::vector<MomentId> doomed;
  for (int i = 0; i < 2'000; ++i) {
    const SimTime when(draw.between(0, 300));
    if (draw.chance(0.5)) {
      doomed.push_back(timeline_.at(when, [] { FAIL() << "was called off"; }));
    } else {
      expected.emplace_back(when, i);
      timeline_.at(when, [&, i] { seen.emplace_back(timeline_.now(), i); });
    }
    if (!doomed.empty() && draw.chance(0.6)) {
      timeline_.call_off(doomed.back());
      doomed.pop_back();
    }
  }
  for (const MomentId moment : doomed) timeline_.call_off(moment);
  EXPECT_EQ(timeline_.pending(), expected.size());
  timeline_.run_until(SimTime(300));
  std::ranges::sort(expected);
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(timeline_.pending(), 0u);
}

TEST_F(TimelineTest, a_step_runs_one_callback_that_comes_in_time_or_moves_the_time) {
  timeline_.at(SimTime(10), note("a"));
  timeline_.at(SimTime(10), note("b"));
  EXPECT_FALSE(timeline_.step(SimTime(9)));
  EXPECT_EQ(timeline_.now(), SimTime(9));
  EXPECT_THAT(story_, IsEmpty());
  EXPECT_TRUE(timeline_.step(SimTime(10)));
  EXPECT_THAT(story_, ElementsAre("a@10"));
  EXPECT_TRUE(timeline_.step(SimTime(10)));
  EXPECT_FALSE(timeline_.step(SimTime(10)));
  EXPECT_EQ(timeline_.now(), SimTime(10));
}

TEST_F(TimelineTest, time_never_goes_back) {
  timeline_.run_until(SimTime(50));
  timeline_.at(SimTime(60), note("a"));
  EXPECT_FALSE(timeline_.step(SimTime(20)));
  EXPECT_EQ(timeline_.now(), SimTime(50));
  timeline_.at(SimTime(10), note("late"));
  timeline_.run_until(SimTime(60));
  EXPECT_THAT(story_, ElementsAre("late@50", "a@60"));
}

TEST_F(TimelineTest, what_is_asked_for_in_the_past_comes_now_after_what_was_asked_for_before) {
  timeline_.at(SimTime(10), [this] {
    note("first")();
    timeline_.at(SimTime(3), note("past"));
    timeline_.after(SimTime(0), note("now"));
    EXPECT_THAT(story_, ElementsAre("first@10")) << "never inside the call";
  });
  timeline_.at(SimTime(10), note("second"));
  timeline_.at(SimTime(11), note("later"));
  timeline_.run_until(SimTime(11));
  EXPECT_THAT(story_, ElementsAre("first@10", "second@10", "past@10", "now@10", "later@11"));
}

TEST_F(TimelineTest, a_moment_that_has_come_is_not_called_off_nor_is_who_took_its_place) {
  const MomentId first = timeline_.at(SimTime(1), note("first"));
  timeline_.run_until(SimTime(1));
  const MomentId second = timeline_.at(SimTime(2), note("second"));
  EXPECT_NE(first, second);
  timeline_.call_off(first);
  EXPECT_EQ(timeline_.pending(), 1u);
  timeline_.run_until(SimTime(2));
  EXPECT_THAT(story_, ElementsAre("first@1", "second@2"));
}

TEST_F(TimelineTest, a_moment_can_be_called_off_once_and_its_place_is_used_again) {
  const MomentId first = timeline_.at(SimTime(5), note("first"));
  timeline_.call_off(first);
  const MomentId second = timeline_.at(SimTime(1), note("second"));
  timeline_.call_off(first);
  timeline_.call_off(MomentId());
  EXPECT_EQ(timeline_.pending(), 1u);
  timeline_.run_until(SimTime(10));
  EXPECT_THAT(story_, ElementsAre("second@1"));
  EXPECT_EQ(timeline_.steps(), 1u) << "what was called off is no step";
  EXPECT_NE(second, MomentId());
}

TEST_F(TimelineTest, a_callback_may_call_off_itself_and_what_comes_at_the_same_moment) {
  MomentId self, other;
  self = timeline_.at(SimTime(1), [&] {
    note("self")();
    timeline_.call_off(self);
    timeline_.call_off(other);
  });
  other = timeline_.at(SimTime(1), note("other"));
  timeline_.run_until(SimTime(2));
  EXPECT_THAT(story_, ElementsAre("self@1"));
  EXPECT_EQ(timeline_.pending(), 0u);
}

// Asks for something when it is dropped.
struct AsksWhenDropped {
  explicit AsksWhenDropped(std::function<void()> ask) : ask_(std::move(ask)) {}
  ~AsksWhenDropped() { ask_(); }
  std::function<void()> ask_;
};

TEST_F(TimelineTest, what_is_called_off_is_dropped_at_once_and_may_ask_for_something_then) {
  auto dropped =
      std::make_shared<AsksWhenDropped>([this] { timeline_.at(SimTime(7), note("by the dropped")); });
  const MomentId moment = timeline_.at(SimTime(5), [dropped] { FAIL() << "was called off"; });
  dropped.reset();
  EXPECT_EQ(timeline_.pending(), 1u);
  timeline_.call_off(moment);
  EXPECT_EQ(timeline_.pending(), 1u);
  timeline_.run_until(SimTime(10));
  EXPECT_THAT(story_, ElementsAre("by the dropped@7"));
}

TEST_F(TimelineTest, a_callback_is_dropped_when_it_has_run) {
  auto held = std::make_shared<int>(1);
  timeline_.at(SimTime(1), [held] {});
  EXPECT_EQ(held.use_count(), 2);
  timeline_.run_until(SimTime(1));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SimTimeTest, is_written_in_seconds_with_every_microsecond) {
  EXPECT_EQ(format_sim_time(SimTime(12'034'512)), "12.034512 s");
  EXPECT_EQ(format_sim_time(SimTime(0)), "0.000000 s");
  EXPECT_EQ(format_sim_time(SimTime(1)), "0.000001 s");
}

}  // namespace
}  // namespace ganglion::sim

#include "sim/world/process_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/kernel/draw.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Timestamp kWall(1'700'000'000'000);

class ProcessClockTest : public ::testing::Test {
 protected:
  std::move_only_function<void()> note(std::string name) {
    return [this, name = std::move(name)] { story_.push_back(name); };
  }
  void run(SimTime by = SimTime(0)) { timeline_.run_until(timeline_.now() + by); }

  Timeline timeline_;
  std::vector<std::string> story_;
  std::optional<ProcessClock> clock_{std::in_place, timeline_, kWall};
};

// --- time ---

TEST_F(ProcessClockTest, wall_time_begins_with_the_hosts_and_moves_with_the_timeline) {
  EXPECT_EQ(clock_->now(), kWall);
  run(SimTime(999));
  EXPECT_EQ(clock_->now(), kWall);
  run(SimTime(1));
  EXPECT_EQ(clock_->now(), kWall + Duration(1));
  run(SimTime(3'600'000'000));
  EXPECT_EQ(clock_->now(), kWall + Duration(3'600'001));
}

TEST_F(ProcessClockTest, a_process_that_starts_later_has_the_wall_time_it_is_given) {
  run(SimTime(1'234'567));
  const ProcessClock later(timeline_, kWall - Duration(86'400'000));
  EXPECT_EQ(later.now(), kWall - Duration(86'400'000));
  run(SimTime(1'000));
  EXPECT_EQ(later.now(), kWall - Duration(86'399'999));
}

TEST_F(ProcessClockTest, time_can_be_moved_ahead_but_not_back) {
  clock_->not_before(kWall - Duration(5));
  EXPECT_EQ(clock_->now(), kWall);
  clock_->not_before(kWall + Duration(5'000));
  EXPECT_EQ(clock_->now(), kWall + Duration(5'000));
  clock_->at(kWall + Duration(5'001), note("a"));
  run(SimTime(999));
  EXPECT_THAT(story_, IsEmpty());
  run(SimTime(1));
  EXPECT_THAT(story_, ElementsAre("a"));
}

TEST_F(ProcessClockTest, no_timer_fires_before_its_time_and_none_a_millisecond_after_it) {
  Draw draw(3);
  int fired = 0;
  // Processes that begin within a millisecond, as they do after a crash.
  for (int process = 0; process < 20; ++process) {
    run(SimTime(draw.between(std::int64_t{1}, std::int64_t{2'999})));
    ProcessClock clock(timeline_, kWall + Duration(draw.between(std::int64_t{-9}, std::int64_t{9})));
    for (int i = 0; i < 20; ++i) {
      const Timestamp when = clock.now() + Duration(draw.between(std::int64_t{0}, std::int64_t{5}));
      clock.at(when, [&, when] {
        EXPECT_GE(clock.now(), when);
        EXPECT_LT(clock.now(), when + Duration(1));
        ++fired;
      });
    }
    run(SimTime(6'000));
  }
  EXPECT_EQ(fired, 400);
}

// --- order ---

TEST_F(ProcessClockTest, posts_run_in_order_and_never_inside_the_call) {
  clock_->post([this] {
    clock_->post(note("c"));
    note("a")();
  });
  clock_->post(note("b"));
  EXPECT_THAT(story_, IsEmpty());
  run();
  EXPECT_THAT(story_, ElementsAre("a", "b", "c"));
}

TEST_F(ProcessClockTest, timers_run_by_time_and_of_one_time_in_order) {
  clock_->at(kWall + Duration(2), note("c"));
  clock_->at(kWall + Duration(1), note("a"));
  clock_->at(kWall + Duration(1), note("b"));
  clock_->at(kWall - Duration(50), note("past"));
  clock_->post(note("post"));
  EXPECT_THAT(story_, IsEmpty());
  run(SimTime(2'000));
  EXPECT_THAT(story_, ElementsAre("past", "post", "a", "b", "c"));
  EXPECT_EQ(clock_->pending(), 0u);
}

// --- cancel ---

TEST_F(ProcessClockTest, a_timer_is_cancelled_before_its_time_and_ignored_after_it) {
  const TimerId waiting = clock_->at(kWall + Duration(1), note("waiting"));
  const TimerId fired = clock_->at(kWall, note("fired"));
  EXPECT_NE(waiting, TimerId());
  clock_->cancel(waiting);
  clock_->cancel(waiting);
  clock_->cancel(TimerId());
  run(SimTime(5'000));
  clock_->cancel(fired);
  clock_->at(clock_->now(), note("next"));
  clock_->cancel(fired);
  run();
  EXPECT_THAT(story_, ElementsAre("fired", "next"));
}

TEST_F(ProcessClockTest, a_callback_may_cancel_itself_and_others_of_the_same_moment) {
  TimerId self, other;
  self = clock_->at(kWall, [&] {
    clock_->cancel(self);
    clock_->cancel(other);
    note("self")();
  });
  other = clock_->at(kWall, note("other"));
  run(SimTime(1'000));
  EXPECT_THAT(story_, ElementsAre("self"));
}

TEST_F(ProcessClockTest, what_came_due_during_a_pause_can_still_be_cancelled) {
  const TimerId held = clock_->at(kWall, note("held"));
  clock_->at(kWall, note("other"));
  clock_->pause();
  run(SimTime(1'000));
  clock_->cancel(held);
  clock_->go_on();
  run();
  EXPECT_THAT(story_, ElementsAre("other"));
  EXPECT_EQ(clock_->pending(), 0u);
}

// --- pause ---

TEST_F(ProcessClockTest, nothing_runs_during_a_pause_and_everything_in_order_after_it) {
  clock_->at(kWall + Duration(3), note("c"));
  clock_->at(kWall + Duration(1), note("a"));
  clock_->pause();
  EXPECT_TRUE(clock_->paused());
  clock_->post(note("posted"));
  run(SimTime(2'000));
  clock_->at(kWall + Duration(2), note("b"));
  run(SimTime(8'000));
  EXPECT_THAT(story_, IsEmpty());
  clock_->go_on();
  EXPECT_THAT(story_, IsEmpty()) << "never inside the call";
  clock_->post(note("after"));
  run();
  EXPECT_THAT(story_, ElementsAre("posted", "a", "b", "c", "after"));
  EXPECT_EQ(clock_->now(), kWall + Duration(10)) << "time goes on meanwhile";
}

TEST_F(ProcessClockTest, what_comes_due_as_a_process_goes_on_waits_for_what_came_due_before) {
  timeline_.at(SimTime(10'000), [this] { clock_->go_on(); });
  clock_->at(kWall + Duration(10), note("on time"));
  clock_->at(kWall + Duration(5), note("held"));
  clock_->pause();
  run(SimTime(10'000));
  EXPECT_THAT(story_, ElementsAre("held", "on time"));
}

TEST_F(ProcessClockTest, a_second_pause_keeps_what_has_not_run_yet_in_order) {
  clock_->pause();
  clock_->post([this] {
    note("a")();
    clock_->pause();
  });
  clock_->post(note("b"));
  clock_->post(note("c"));
  run(SimTime(10));
  clock_->go_on();
  run(SimTime(10));
  EXPECT_THAT(story_, ElementsAre("a"));
  clock_->post(note("d"));
  run(SimTime(10));
  EXPECT_THAT(story_, ElementsAre("a"));
  clock_->go_on();
  clock_->go_on();
  run();
  EXPECT_THAT(story_, ElementsAre("a", "b", "c", "d"));
}

// --- the end ---

TEST_F(ProcessClockTest, a_stopped_clock_runs_nothing_ever_again) {
  clock_->at(kWall + Duration(1), note("timer"));
  clock_->post([this] {
    clock_->stop();
    clock_->post(note("post after the end"));
    EXPECT_EQ(clock_->at(kWall, note("timer after the end")), TimerId());
  });
  clock_->post(note("post"));
  run(SimTime(10'000));
  EXPECT_THAT(story_, IsEmpty());
}

TEST_F(ProcessClockTest, what_was_held_does_not_run_after_the_end) {
  clock_->pause();
  clock_->post(note("post"));
  run();
  clock_->stop();
  clock_->go_on();
  run(SimTime(1'000));
  EXPECT_THAT(story_, IsEmpty());
}

TEST_F(ProcessClockTest, whoever_is_dropped_with_the_clock_may_still_use_it) {
  struct UsesWhenDropped {
    ~UsesWhenDropped() {
      clock->cancel(timer);
      clock->post([] { FAIL() << "after the end"; });
    }
    ProcessClock* clock;
    TimerId timer;
  };
  for (const bool has_run : {false, true}) {
    const TimerId timer = clock_->at(kWall + Duration(60'000), note("timer"));
    auto user = std::make_shared<UsesWhenDropped>(&*clock_, timer);
    clock_->at(kWall + Duration(30'000), [user] {});
    clock_->pause();
    clock_->post([user] {});
    if (has_run) run(SimTime(1));
    clock_->go_on();
    user.reset();
    clock_.reset();
    run(SimTime(100'000'000));
    clock_.emplace(timeline_, kWall);
  }
  EXPECT_THAT(story_, IsEmpty());
}

// --- work ---

class WorkingClockTest : public ProcessClockTest {
 protected:
  std::move_only_function<void()> work(WorkTime time) {
    return [this, time] {
      began_.push_back(timeline_.now().count());
      clock_->charge(time);
    };
  }

  std::vector<std::int64_t> began_;
};

TEST_F(WorkingClockTest, what_comes_due_while_the_thread_is_busy_waits_its_turn) {
  clock_->post(work(std::chrono::microseconds(300)));
  clock_->post(work(std::chrono::microseconds(200)));
  timeline_.at(SimTime(100), [this] { clock_->post(work(std::chrono::microseconds(50))); });
  timeline_.at(SimTime(900), [this] { clock_->post(work(std::chrono::microseconds(50))); });
  run(SimTime(2'000));
  EXPECT_THAT(began_, ElementsAre(0, 300, 500, 900));
  EXPECT_EQ(clock_->worked(), std::chrono::microseconds(600));
}

TEST_F(WorkingClockTest, no_fraction_of_a_microsecond_is_lost_between_two_pieces_of_work) {
  for (int i = 0; i < 1'001; ++i) clock_->post(work(WorkTime(2'300)));
  run(SimTime(5'000));
  EXPECT_EQ(began_.back(), 2'300);
}

TEST_F(WorkingClockTest, it_is_free_when_it_has_done_what_it_was_charged_with) {
  EXPECT_EQ(clock_->free_at(), SimTime(0));
  clock_->charge(std::chrono::microseconds(80));
  clock_->charge(std::chrono::microseconds(20));
  EXPECT_EQ(clock_->free_at(), SimTime(100));
  EXPECT_EQ(clock_->worked(), WorkTime(0)) << "it is still to be done";
  run(SimTime(60));
  EXPECT_EQ(clock_->worked(), std::chrono::microseconds(60));
  run(SimTime(60));
  EXPECT_EQ(clock_->free_at(), SimTime(120));
  EXPECT_EQ(clock_->worked(), std::chrono::microseconds(100));
}

TEST_F(WorkingClockTest, what_waits_for_a_busy_thread_waits_for_a_pause_as_well) {
  clock_->post(work(std::chrono::microseconds(100)));
  clock_->post(note("waits"));
  run(SimTime(10));
  clock_->pause();
  run(SimTime(500));
  EXPECT_THAT(story_, IsEmpty());
  clock_->go_on();
  clock_->post(note("after"));
  run();
  EXPECT_THAT(story_, ElementsAre("waits", "after"));
}

TEST_F(WorkingClockTest, a_process_that_dies_at_work_runs_nothing_more) {
  clock_->post(work(std::chrono::microseconds(100)));
  clock_->post(note("never"));
  run(SimTime(10));
  clock_->stop();
  run(SimTime(500));
  EXPECT_THAT(story_, IsEmpty());
  clock_.reset();
  run(SimTime(500));
}

}  // namespace
}  // namespace ganglion::sim

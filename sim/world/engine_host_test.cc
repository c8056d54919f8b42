#include "sim/world/engine_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/world/process_clock.h"
#include "sim/world/world_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;

WorldOptions options_of(std::uint32_t hosts = 1, std::uint64_t seed = 1) {
  WorldOptions options;
  options.seed = seed;
  options.hosts = hosts;
  return options;
}

EngineHost& host_of(SmallStory& story, std::size_t number = 0) {
  return *story.world().hosts().at(number);
}

// Steps of the timeline until the story of one engine and no faults has been told.
std::uint64_t steps_of_story() {
  SmallStory story(options_of());
  story.begin();
  story.tell();
  return story.world().timeline().steps();
}

void run_to_step(SmallStory& story, std::uint64_t step) {
  Timeline& timeline = story.world().timeline();
  while (timeline.steps() < step && timeline.step(timeline.now() + SimTime(60'000'000))) {
  }
}

TEST(EngineHostTest, an_engine_serves_a_run_to_its_end) {
  SmallStory story(options_of());
  EXPECT_FALSE(host_of(story).runs());
  story.begin();
  EXPECT_TRUE(host_of(story).runs());
  EXPECT_FALSE(host_of(story).serves()) << "it has not read the store yet";
  ASSERT_TRUE(story.tell());
  story.check();
  EXPECT_TRUE(host_of(story).serves());
  EXPECT_EQ(host_of(story).lives(), 1u);
  EXPECT_EQ(story.conflicts(), 0u);
  EXPECT_LT(story.world().timeline().now(), SimTime(1'000'000));
}

TEST(EngineHostTest, two_worlds_of_one_seed_have_one_story_and_other_seeds_have_others) {
  const auto hash_of = [](std::uint64_t seed) {
    WorldOptions options = options_of(2, seed);
    options.weather.network.lost_answer = 0.1;
    options.weather.network.duplicate = 0.1;
    options.weather.store.lost_answer = 0.1;
    options.weather.store.dies_after_write = 0.05;
    SmallStory story(std::move(options));
    story.begin();
    EXPECT_TRUE(story.tell());
    story.world().timeline().run_until(story.world().timeline().now() + SimTime(5'000'000));
    return std::pair(story.world().trace().hash(), story.world().timeline().steps());
  };
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto once = hash_of(seed);
    EXPECT_EQ(hash_of(seed), once) << "seed " << seed;
    hashes.insert(once.first);
  }
  EXPECT_EQ(hashes.size(), 5u);
}

// --- deaths ---

TEST(EngineHostTest, a_dead_engine_serves_nobody_until_it_is_started_again) {
  SmallStory story(options_of());
  story.begin();
  story.world().timeline().run_until(SimTime(10'000));
  host_of(story).kill(SimTime(100'000));
  host_of(story).kill(SimTime(1));
  EXPECT_FALSE(host_of(story).runs());
  EXPECT_EQ(host_of(story).pending_timers(), 0u);
  story.world().timeline().run_until(SimTime(109'999));
  EXPECT_FALSE(host_of(story).runs());
  story.world().timeline().run_until(SimTime(110'000));
  EXPECT_TRUE(host_of(story).runs());
  EXPECT_EQ(host_of(story).lives(), 2u);
  ASSERT_TRUE(story.tell());
  story.check();
}

TEST(EngineHostTest, killed_at_any_step_and_started_again_the_run_still_completes_once) {
  const std::uint64_t steps = steps_of_story();
  ASSERT_GT(steps, 50u);
  bool took_up = false;
  for (std::uint64_t step = 0; step <= steps; ++step) {
    SCOPED_TRACE(step);
    SmallStory story(options_of());
    story.begin();
    run_to_step(story, step);
    host_of(story).kill(SimTime(20'000));
    ASSERT_TRUE(story.tell());
    story.check();
    took_up = took_up || story.world().sightings().contains("an engine took up open runs");
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(took_up);
}

TEST(EngineHostTest, an_engine_that_dies_at_any_one_write_loses_nothing) {
  for (const std::string when : {"before", "after"}) {
    for (int write = 1; write <= 12; ++write) {
      SCOPED_TRACE(when + " " + std::to_string(write));
      WorldOptions options = options_of();
      (when == "before" ? options.weather.store.dies_before_write : options.weather.store.dies_after_write) =
          1;
      const std::string name = "engine-1.dies_" + when + "_write:" + std::to_string(write);
      options.only = std::set<std::string>{name};
      SmallStory story(std::move(options));
      story.begin();
      ASSERT_TRUE(story.tell());
      story.check();
      const auto& events = story.world().fate().events();
      ASSERT_EQ(host_of(story).lives(), 1 + events.size()) << "one death for the one event";
      if (!events.empty()) EXPECT_EQ(story.world().fate().name_of(events.front()), name);
      EXPECT_TRUE(write > 4 || !events.empty()) << "a story has a few writes";
    }
  }
}

TEST(EngineHostTest, an_engine_may_die_again_while_it_starts) {
  SmallStory story(options_of());
  story.begin();
  story.world().timeline().run_until(SimTime(5'000));
  for (int death = 1; death <= 30; ++death) {
    host_of(story).kill(SimTime(100));
    story.world().timeline().run_until(story.world().timeline().now() + SimTime(100 + 37 * death));
  }
  EXPECT_EQ(host_of(story).lives(), 31u);
  ASSERT_TRUE(story.tell());
  story.check();
}

TEST(EngineHostTest, a_start_that_fails_is_tried_again_until_the_store_is_there) {
  SmallStory story(options_of());
  story.world().store().set(StoreServer::State::down);
  story.begin();
  story.world().timeline().run_until(SimTime(5'000'000));
  EXPECT_FALSE(host_of(story).serves());
  EXPECT_GT(host_of(story).lives(), 2u);
  story.world().store().set(StoreServer::State::up);
  ASSERT_TRUE(story.tell());
  story.check();
}

TEST(EngineHostTest, a_world_may_end_at_any_step_also_right_after_a_death) {
  for (std::uint64_t step = 0; step <= 60; ++step) {
    for (const bool dies : {false, true}) {
      SmallStory story(options_of());
      story.begin();
      run_to_step(story, step);
      if (dies) host_of(story).kill(SimTime(1'000));
    }
  }
}

// --- clocks ---

TEST(EngineHostTest, a_clock_set_back_a_day_between_two_lives_moves_no_journal_back) {
  for (const std::int64_t day : {-1, 1}) {
    SmallStory story(options_of());
    story.begin();
    while (story.commits() == 0) story.world().timeline().step(SimTime(1'000'000));
    host_of(story).set_clock(Duration(day * 24 * 3'600'000));
    host_of(story).kill(SimTime(1'000));
    ASSERT_TRUE(story.tell());
    story.check();
    const auto entries =
        story.world().store().ask<Result<std::vector<JournalEntry>>>([&](Store& store, auto answer) {
          store.read_journal(*RunId::parse(story.run()), 0, 100, std::move(answer));
        });
    EXPECT_TRUE(std::ranges::is_sorted(*entries, {}, &JournalEntry::at));
  }
}

// --- two engines ---

TEST(EngineHostTest, an_engine_that_is_cut_from_the_store_stays_so_in_its_next_life) {
  SmallStory story(options_of());
  story.begin();
  story.world().timeline().run_until(SimTime(10'000));
  host_of(story).cut_from_store();
  host_of(story).kill(SimTime(1'000));
  story.world().timeline().run_until(SimTime(5'000'000));
  EXPECT_FALSE(host_of(story).serves());
  host_of(story).mend_to_store();
  ASSERT_TRUE(story.tell());
  story.check();
}

// The first engine stands still at a step; another one takes up what it began; then it goes on as if nothing
// had happened.
TEST(EngineHostTest, an_engine_that_was_paused_at_any_step_can_not_write_what_another_one_has_decided) {
  const std::uint64_t steps = steps_of_story();
  std::size_t conflicts = 0;
  for (std::uint64_t step = 1; step <= 2 * steps; step += 2) {
    SCOPED_TRACE(step);
    SmallStory story(options_of(2));
    story.begin();
    run_to_step(story, step);
    host_of(story, 0).pause();
    EXPECT_TRUE(host_of(story, 0).paused());
    host_of(story, 1).kill(SimTime(1'000));
    Timeline& timeline = story.world().timeline();
    timeline.run_until(timeline.now() + SimTime(static_cast<std::int64_t>(step % 7) * 700'000));
    host_of(story, 0).go_on();
    ASSERT_TRUE(story.tell());
    timeline.run_until(timeline.now() + SimTime(10'000'000));
    story.check();
    conflicts += story.conflicts();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(conflicts, 0u) << "no zombie has tried to write";
}

TEST(EngineHostTest, two_engines_that_both_took_up_a_run_complete_it_once) {
  const std::uint64_t steps = steps_of_story();
  for (std::uint64_t step = 1; step <= steps; step += 3) {
    SCOPED_TRACE(step);
    SmallStory story(options_of(2));
    story.begin();
    run_to_step(story, step);
    for (const auto& host : story.world().hosts()) host->kill(SimTime(1'000));
    ASSERT_TRUE(story.tell());
    story.world().timeline().run_until(story.world().timeline().now() + SimTime(10'000'000));
    story.check();
    if (::testing::Test::HasFailure()) return;
  }
}

// --- work that takes time ---

WorldOptions working_options() {
  using namespace std::chrono_literals;
  WorldOptions options = options_of();
  options.service_times = {.request = 200us,
                           .answer = 100us,
                           .kib = 50us,
                           .commit = 1ms,
                           .entry = 300us,
                           .committed = 500us,
                           .read = 50us,
                           .open_run = 5ms};
  options.store = {.per_commit = 2ms, .per_entry = 100us, .per_kib = 100us, .per_open_run = 3ms};
  return options;
}

TEST(EngineHostTest, an_engine_whose_work_takes_time_serves_a_run_to_its_end_later) {
  SmallStory idle(options_of()), working(working_options());
  idle.begin();
  working.begin();
  ASSERT_TRUE(idle.tell());
  ASSERT_TRUE(working.tell());
  working.check();
  EXPECT_EQ(idle.journal(), working.journal());
  EXPECT_GE(working.world().timeline().now(), idle.world().timeline().now());
  EXPECT_EQ(host_of(idle).worked(), WorkTime(0));
  // Three commits of the run at least, each decided and carried out.
  EXPECT_GT(host_of(working).worked(), std::chrono::microseconds(4'500));
  EXPECT_GT(working.world().store().thread().worked(), std::chrono::microseconds(6'000));
}

TEST(EngineHostTest, an_engine_that_dies_at_work_loses_nothing) {
  for (std::uint64_t step = 0; step <= 2 * steps_of_story(); step += 5) {
    SCOPED_TRACE(step);
    SmallStory story(working_options());
    story.begin();
    run_to_step(story, step);
    const WorkTime before = host_of(story).worked();
    host_of(story).kill(SimTime(20'000));
    ASSERT_TRUE(story.tell());
    story.check();
    EXPECT_GE(host_of(story).worked(), before) << "both lives count";
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace ganglion::sim

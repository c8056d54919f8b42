#include "sim/world/storm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/world/world_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr SimTime kTick{100'000};
constexpr double kEveryTick = 36'000;
constexpr SimTime kSecond{1'000'000};

Spell spell(double per_hour, SimTime length = kSecond) {
  return {.per_hour = per_hour, .least = length, .most = length};
}

// Everything goes wrong now and then.
WorldOptions stormy(std::uint64_t seed, std::uint32_t hosts, double per_hour = 1'000) {
  WorldOptions options;
  options.seed = seed;
  options.hosts = hosts;
  Weather& weather = options.weather;
  for (Spell* each : {&weather.engine_crash, &weather.engine_pause, &weather.store_down, &weather.store_full,
                      &weather.store_slow, &weather.store_failover, &weather.store_partition,
                      &weather.client_partition, &weather.clock_jump}) {
    *each = {.per_hour = per_hour, .least = kTick, .most = 3 * kSecond};
  }
  weather.network = {.lost_request = 0.02, .lost_answer = 0.02, .duplicate = 0.05, .slow = 0.05};
  weather.store = {.dies_before_write = 0.01, .dies_after_write = 0.01, .lost_answer = 0.03, .refused = 0.02};
  return options;
}

// The third tick, 200 ms after the beginning, brings one event and nothing else.
struct OneEvent {
  OneEvent(const std::string& site, const std::function<void(Weather&)>& set, std::uint32_t hosts = 1) {
    WorldOptions options;
    options.hosts = hosts;
    options.only = std::set<std::string>{site + ":3"};
    set(options.weather);
    story.emplace(std::move(options));
    story->begin();
    storm.emplace(story->world(), SimTime(60'000'000));
    run_until(2 * kTick - SimTime(1));
  }
  void run_until(SimTime time) { story->world().timeline().run_until(time); }
  World& world() { return story->world(); }
  EngineHost& host() { return *world().hosts().front(); }

  std::optional<SmallStory> story;
  std::optional<Storm> storm;
};

// --- what it does
// ------------------------------------------------------------------------------------------------------

TEST(StormTest, a_crash_lasts_its_time) {
  OneEvent it("engine-1.crash", [](Weather& weather) { weather.engine_crash = spell(kEveryTick); });
  EXPECT_TRUE(it.host().serves());
  it.run_until(2 * kTick);
  EXPECT_FALSE(it.host().runs());
  it.run_until(2 * kTick + kSecond);
  EXPECT_TRUE(it.host().runs());
  it.run_until(20 * kSecond);
  EXPECT_EQ(it.host().lives(), 2u) << "one event";
}

TEST(StormTest, a_pause_lasts_its_time) {
  OneEvent it("engine-1.pause", [](Weather& weather) { weather.engine_pause = spell(kEveryTick); });
  EXPECT_FALSE(it.host().paused());
  it.run_until(2 * kTick);
  EXPECT_TRUE(it.host().paused());
  it.run_until(2 * kTick + kSecond);
  EXPECT_FALSE(it.host().paused());
}

TEST(StormTest, a_store_is_down_or_full_for_its_time) {
  for (const auto& [name, which, state] :
       {std::tuple("store.down", &Weather::store_down, StoreServer::State::down),
        std::tuple("store.full", &Weather::store_full, StoreServer::State::full),
        std::tuple("store.failover", &Weather::store_failover, StoreServer::State::down)}) {
    OneEvent it(name, [which](Weather& weather) { weather.*which = spell(kEveryTick); });
    EXPECT_EQ(it.world().store().state(), StoreServer::State::up) << name;
    it.run_until(2 * kTick);
    EXPECT_EQ(it.world().store().state(), state) << name;
    it.run_until(2 * kTick + kSecond - SimTime(1));
    EXPECT_EQ(it.world().store().state(), state) << name;
    it.run_until(2 * kTick + kSecond);
    EXPECT_EQ(it.world().store().state(), StoreServer::State::up) << name;
  }
}

TEST(StormTest, a_slow_store_is_slow_for_its_time) {
  OneEvent it("store.slow", [](Weather& weather) { weather.store_slow = spell(kEveryTick); });
  const auto duration = [&] { return it.world().store().read([](Store&) {}) - it.world().timeline().now(); };
  EXPECT_EQ(duration(), SimTime(20));
  it.run_until(2 * kTick);
  EXPECT_GE(duration(), SimTime(200));
  it.run_until(2 * kTick + kSecond);
  EXPECT_EQ(duration(), SimTime(20));
}

TEST(StormTest, a_failover_loses_at_most_what_the_weather_says_and_is_told) {
  std::set<std::size_t> lost;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.weather.store_failover = spell(kEveryTick);
    options.weather.failover_loses = 2;
    options.only = std::set<std::string>{"store.failover:3"};
    SmallStory story(std::move(options));
    story.begin();
    Storm storm(story.world(), kSecond);
    story.world().timeline().run_until(2 * kTick - SimTime(1));
    story.world().timeline().run_until(2 * kTick);
    StoreServer& server = story.world().store();
    std::size_t writes = 0;
    for (std::uint64_t serial = 1; serial <= server.writes(); ++serial)
      writes += server.has_lost(serial) ? 1 : 0;
    lost.insert(writes);
    EXPECT_EQ(story.world().sightings().contains("a failover lost commits"), writes > 0);
    EXPECT_EQ(story.world().has_lost_writes(), writes > 0);
  }
  EXPECT_THAT(lost, ElementsAre(0, 1, 2));
}

TEST(StormTest, nothing_begins_after_its_end_and_what_has_begun_ends_without_it) {
  WorldOptions options;
  options.weather.engine_pause = spell(kEveryTick, 10 * kSecond);
  options.weather.store_down = spell(kEveryTick, 10 * kSecond);
  SmallStory story(std::move(options));
  story.begin();
  auto storm = std::make_optional<Storm>(story.world(), kSecond);
  story.world().timeline().run_until(5 * kSecond);
  const std::size_t events = story.world().fate().events().size();
  EXPECT_EQ(events, 22u) << "eleven ticks";
  storm.reset();
  EXPECT_TRUE(story.tell());
  EXPECT_EQ(story.world().fate().events().size(), events);
}

// --- names
// --------------------------------------------------------------------------------------------------------------

using Happenings = std::map<std::string, SimTime>;

Happenings happenings(OnlyEvents only) {
  WorldOptions options = stormy(4, 2, 2'000);
  options.weather.network = {};
  options.weather.store = {};
  options.only = std::move(only);
  SmallStory story(std::move(options));
  story.begin();
  Storm storm(story.world(), 60 * kSecond);
  story.world().timeline().run_until(60 * kSecond);
  Happenings all;
  for (const auto& event : story.world().fate().events()) all[story.world().fate().name_of(event)] = event.at;
  return all;
}

TEST(StormTest, an_event_that_is_left_out_moves_no_other_one) {
  const Happenings all = happenings({});
  ASSERT_GT(all.size(), 100u);
  std::set<std::string> names;
  for (const auto& [name, at] : all) names.insert(name);
  for (const std::string site : {"store.down", "store.failover", "engine-1.crash", "engine-2.pause"}) {
    const auto out = std::ranges::find_if(names, [&](const auto& name) { return name.starts_with(site); });
    ASSERT_NE(out, names.end()) << site;
    std::set<std::string> rest = names;
    rest.erase(*out);
    Happenings expected = all;
    expected.erase(*out);
    EXPECT_EQ(happenings(rest), expected) << "without " << *out;
  }
  EXPECT_THAT(happenings(std::set<std::string>()), IsEmpty());
}

// --- healing
// ------------------------------------------------------------------------------------------------------------

TEST(StormTest, what_is_broken_is_healed_at_once_and_stays_so) {
  for (const std::uint32_t hosts : {1u, 2u}) {
    WorldOptions options = stormy(1, hosts, kEveryTick);
    SmallStory story(std::move(options));
    story.begin();
    Storm storm(story.world(), 60 * kSecond);
    Timeline& timeline = story.world().timeline();
    timeline.run_until(3 * kSecond);
    storm.heal();
    for (SimTime end = timeline.now() + 5 * kSecond; timeline.now() < end; timeline.step(end)) {
      ASSERT_EQ(story.world().store().state(), StoreServer::State::up);
      for (const auto& host : story.world().hosts()) {
        ASSERT_TRUE(host->runs());
        ASSERT_FALSE(host->paused());
      }
    }
    const std::size_t events = story.world().fate().events().size();
    ASSERT_TRUE(story.tell());
    story.check();
    EXPECT_EQ(story.world().fate().events().size(), events) << "the weather is calm";
    for (const auto& host : story.world().hosts()) EXPECT_TRUE(host->serves());
  }
}

TEST(StormTest, a_run_survives_every_storm_and_completes_once) {
  std::map<std::string, int> sites;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    SmallStory story(stormy(seed, 1 + static_cast<std::uint32_t>(seed % 3), 3'000));
    story.begin();
    Storm storm(story.world(), 20 * kSecond);
    Timeline& timeline = story.world().timeline();
    timeline.run_until(20 * kSecond);
    storm.heal();
    ASSERT_TRUE(story.tell());
    timeline.run_until(timeline.now() + 10 * kSecond);
    story.check();
    for (const auto& event : story.world().fate().events()) {
      const std::string name = story.world().fate().name_of(event);
      ++sites[name.substr(0, name.find(':'))];
    }
    if (::testing::Test::HasFailure()) return;
  }
  for (const std::string site :
       {"engine-1.crash", "engine-2.pause", "engine-3.store_partition", "engine-1.client_partition",
        "engine-1.clock_jump", "store.down", "store.full", "store.slow", "store.failover",
        "worker.lost_answer", "worker.lost_request", "worker.duplicate", "engine-1.dies_before_write",
        "engine-1.dies_after_write", "engine-1.lost_store_answer", "engine-1.store_refuses"}) {
    EXPECT_GT(sites[site], 0) << site << " never happened";
  }
}

TEST(StormTest, two_storms_of_one_seed_are_one_story) {
  const auto hash_of = [](std::uint64_t seed) {
    SmallStory story(stormy(seed, 2, 3'000));
    story.begin();
    Storm storm(story.world(), 20 * kSecond);
    story.world().timeline().run_until(30 * kSecond);
    return std::pair(story.world().trace().hash(), story.world().timeline().steps());
  };
  for (std::uint64_t seed = 1; seed <= 4; ++seed) EXPECT_EQ(hash_of(seed), hash_of(seed)) << "seed " << seed;
}

}  // namespace
}  // namespace ganglion::sim

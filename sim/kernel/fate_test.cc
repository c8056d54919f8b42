#include "sim/kernel/fate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FateTest : public ::testing::Test {
 protected:
  // What happens at 100 occasions, with the first number of each event.
  static std::vector<std::pair<int, std::uint64_t>> events_of(Fate& fate, std::string_view name,
                                                              double probability = 0.1) {
    std::vector<std::pair<int, std::uint64_t>> happened;
    for (int i = 1; i <= 100; ++i) {
      if (auto occasion = fate.occasion(fate.site(name), probability)) {
        happened.emplace_back(i, occasion.draw.word());
      }
    }
    return happened;
  }

  static std::vector<std::string> names_of(const Fate& fate) {
    std::vector<std::string> names;
    for (const Fate::Event& event : fate.events()) names.push_back(fate.name_of(event));
    return names;
  }

  Timeline timeline_;
};

TEST_F(FateTest, a_site_is_known_by_its_name) {
  Fate fate(7, timeline_);
  const SiteId crash = fate.site("engine-1.crash");
  EXPECT_NE(fate.site("engine-2.crash"), crash);
  EXPECT_EQ(fate.site("engine-1.crash"), crash);
  EXPECT_EQ(fate.seed(), 7u);
}

// Worked out apart from this code.
TEST_F(FateTest, seed_site_and_occasion_alone_decide_everywhere) {
  Fate fate(7, timeline_);
  Draw first = fate.draw(fate.site("engine-1.crash"));
  EXPECT_EQ(first.word(), 0x6AE1A07598082353u);
  EXPECT_EQ(first.word(), 0x6F0A53B58503E8F8u);
  Draw second = fate.draw(fate.site("engine-1.crash"));
  EXPECT_EQ(second.word(), 0x87605D29249F0BF8u);

  Fate again(7, timeline_);
  std::vector<int> numbers;
  for (const auto& [number, word] : events_of(again, "engine-1.crash")) numbers.push_back(number);
  EXPECT_THAT(numbers, ElementsAre(5, 26, 34, 43, 46, 58, 61, 68, 74, 75, 78, 85, 88, 96));
}

TEST_F(FateTest, what_is_drawn_elsewhere_changes_nothing) {
  Fate alone(7, timeline_);
  const auto expected = events_of(alone, "engine-1.crash");

  Fate among_others(7, timeline_);
  among_others.site("store.down");
  std::vector<std::pair<int, std::uint64_t>> seen;
  for (int i = 1; i <= 100; ++i) {
    for (int more = 0; more < i % 3; ++more) {
      among_others.occasion(among_others.site("store.down"), 0.5);
      among_others.draw(among_others.site("client." + std::to_string(i))).word();
    }
    auto occasion = among_others.occasion(among_others.site("engine-1.crash"), 0.1);
    if (occasion) seen.emplace_back(i, occasion.draw.word());
  }
  EXPECT_EQ(seen, expected);

  Fate other_seed(8, timeline_);
  EXPECT_NE(events_of(other_seed, "engine-1.crash"), expected);
}

TEST_F(FateTest, events_have_names_and_times_in_the_order_in_which_they_happened) {
  Fate fate(7, timeline_);
  timeline_.run_until(SimTime(5));
  fate.occasion(fate.site("a"), 1);
  timeline_.run_until(SimTime(9));
  fate.occasion(fate.site("b:c"), 1);
  fate.draw(fate.site("a"));
  fate.occasion(fate.site("a"), 1);
  EXPECT_THAT(names_of(fate), ElementsAre("a:1", "b:c:1", "a:3"));
  EXPECT_EQ(fate.events()[0].at, SimTime(5));
  EXPECT_EQ(fate.events()[1].at, SimTime(9));
}

TEST_F(FateTest, what_has_no_probability_is_no_occasion) {
  Fate fate(7, timeline_);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(fate.occasion(fate.site("a"), 0));
  EXPECT_FALSE(fate.occasion(fate.site("a"), -1));
  EXPECT_TRUE(fate.occasion(fate.site("a"), 1));
  EXPECT_THAT(names_of(fate), ElementsAre("a:1"));
}

TEST_F(FateTest, only_the_named_events_happen_and_they_are_what_they_were) {
  Fate all(7, timeline_);
  const auto drawn = events_of(all, "engine-1.crash");
  const auto drawn_elsewhere = events_of(all, "store.down");
  ASSERT_GE(drawn.size(), 3u);

  const auto [number, word] = drawn[1];
  Fate some(7, timeline_, std::set<std::string>{"engine-1.crash:" + std::to_string(number)});
  EXPECT_THAT(events_of(some, "engine-1.crash"), ElementsAre(std::pair(number, word)));
  EXPECT_THAT(events_of(some, "store.down"), IsEmpty());
  EXPECT_THAT(names_of(some), ElementsAre("engine-1.crash:" + std::to_string(number)));
  // Numbers that are no events are drawn as ever.
  EXPECT_EQ(some.draw(some.site("engine-1.crash")).word(), all.draw(all.site("engine-1.crash")).word());
}

TEST_F(FateTest, every_name_that_happened_lets_the_same_story_happen_again) {
  Fate all(11, timeline_);
  const auto a = events_of(all, "a", 0.3);
  const auto b = events_of(all, "b:x", 0.3);
  std::set<std::string> names;
  for (const std::string& name : names_of(all)) names.insert(name);
  Fate again(11, timeline_, names);
  EXPECT_EQ(events_of(again, "a", 0.3), a);
  EXPECT_EQ(events_of(again, "b:x", 0.3), b);
}

TEST_F(FateTest, a_name_that_is_not_drawn_or_is_none_lets_nothing_happen) {
  Fate fate(7, timeline_,
            std::set<std::string>{"engine-1.crash:1", "engine-1.crash", "engine-1.crash:x", ""});
  EXPECT_THAT(events_of(fate, "engine-1.crash"), IsEmpty());
  Fate nothing(7, timeline_, std::set<std::string>{});
  EXPECT_THAT(events_of(nothing, "engine-1.crash"), IsEmpty());
}

}  // namespace
}  // namespace ganglion::sim

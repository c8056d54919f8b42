#include "sim/runner/shrink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> numbered(int count) {
  std::vector<std::string> events;
  for (int i = 0; i < count; ++i) events.push_back("e:" + std::to_string(i));
  return events;
}

StillFails needs(std::set<std::string> wanted) {
  return [wanted = std::move(wanted)](const std::vector<std::string>& events) {
    return std::ranges::all_of(
        wanted, [&](const std::string& event) { return std::ranges::find(events, event) != events.end(); });
  };
}

TEST(Shrink, LeavesExactlyTheEventsThatTheFailureNeeds) {
  EXPECT_THAT(shrink(numbered(200), needs({"e:3", "e:77", "e:199"})).events,
              ElementsAre("e:3", "e:77", "e:199"));
  EXPECT_THAT(shrink(numbered(1), needs({"e:0"})).events, ElementsAre("e:0"));
}

TEST(Shrink, LeavesNothingWhereTheFailureNeedsNoEvent) {
  EXPECT_THAT(shrink(numbered(50), needs({})).events, IsEmpty());
}

TEST(Shrink, StopsAfterItsTriesWithWhatStillFails) {
  // Given a failure that needs every second event …
  std::set<std::string> wanted;
  for (int i = 0; i < 100; i += 2) wanted.insert("e:" + std::to_string(i));
  int asked = 0;
  const auto counted = [&, inner = needs(wanted)](const std::vector<std::string>& events) {
    ++asked;
    return inner(events);
  };

  // … when there are few tries …
  const Shrunk shrunk = shrink(numbered(100), counted, {.max_tries = 20});

  // … then they are kept to, what is left still fails, and it says that it may not be minimal.
  EXPECT_EQ(asked, 20);
  EXPECT_TRUE(needs(wanted)(shrunk.events));
  EXPECT_FALSE(shrunk.minimal);
}

TEST(Shrink, EveryEventOfTheResultIsNeeded) {
  // A failure that needs one of two, and another one: shrinking may find either.
  const auto either = [](const std::vector<std::string>& events) {
    const auto has = [&](const char* event) { return std::ranges::find(events, event) != events.end(); };
    return (has("e:4") || has("e:40")) && has("e:20");
  };
  const Shrunk shrunk = shrink(numbered(60), either);
  EXPECT_EQ(shrunk.events.size(), 2u);
  EXPECT_TRUE(shrunk.minimal);
}

TEST(Shrink, FailuresAreOfOneKindWhateverTheirIdsTimesAndAmounts) {
  EXPECT_EQ(kind_of_violation("run 01HF7YAVANPA7ARX57AG20W61R: is still running after 42.974387 s"),
            kind_of_violation("run 01HF7YB4PMV26M6XAZ1P7VJFZ3: is still running after 7.1 s"));
  EXPECT_NE(kind_of_violation("run 01HF7YAVANPA7ARX57AG20W61R: is lost"),
            kind_of_violation("run 01HF7YAVANPA7ARX57AG20W61R: is there twice"));
}

}  // namespace
}  // namespace ganglion::sim

#include "adapters/system/timer_heap.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

namespace ganglion {
namespace {

TEST(TimerHeap, TimersForOneMomentComeOutInTheOrderInWhichTheyWereSet) {
  TimerHeap heap;
  std::vector<int> fired;
  for (int i = 0; i < 100; ++i) heap.add(Timestamp(7), [&fired, i] { fired.push_back(i); });
  while (auto callback = heap.take_due(Timestamp(7))) (*callback)();
  ASSERT_EQ(fired.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(fired));
}

TEST(TimerHeap, AnIdIsNeverZeroAndAnOldIdCancelsNothing) {
  TimerHeap heap;
  const TimerId first = heap.add(Timestamp(1), [] {});
  EXPECT_NE(first, TimerId());
  EXPECT_TRUE(heap.cancel(first));
  const TimerId second = heap.add(Timestamp(1), [] {});  // takes the same slot
  EXPECT_FALSE(heap.cancel(first));
  EXPECT_FALSE(heap.cancel(TimerId()));
  EXPECT_EQ(heap.size(), 1u);
  EXPECT_TRUE(heap.cancel(second));
  EXPECT_EQ(heap.earliest(), std::nullopt);
}

// Against the obvious model: a map ordered by time and order of setting.
RC_GTEST_PROP(TimerHeap, BehavesLikeAnOrderedMap, ()) {
  TimerHeap heap;
  std::map<std::pair<std::int64_t, int>, TimerId> model;
  int last_fired = -1;
  for (int step = 0; step < 200; ++step) {
    const int action = *rc::gen::inRange(0, 4);
    if (action <= 1) {
      const auto when = *rc::gen::inRange<std::int64_t>(0, 50);
      model[{when, step}] = heap.add(Timestamp(when), [&last_fired, step] { last_fired = step; });
    } else if (action == 2 && !model.empty()) {
      const auto victim = std::next(model.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(model)));
      RC_ASSERT(heap.cancel(victim->second));
      RC_ASSERT(!heap.cancel(victim->second));
      model.erase(victim);
    } else {
      const auto now = *rc::gen::inRange<std::int64_t>(0, 50);
      auto callback = heap.take_due(Timestamp(now));
      RC_ASSERT(callback.has_value() == (!model.empty() && model.begin()->first.first <= now));
      if (callback) {
        (*callback)();
        RC_ASSERT(last_fired == model.begin()->first.second);
        model.erase(model.begin());
      }
    }
    RC_ASSERT(heap.size() == model.size());
    RC_ASSERT(!heap.earliest() == model.empty());
    if (!model.empty()) RC_ASSERT(*heap.earliest() == Timestamp(model.begin()->first.first));
  }
}

}  // namespace
}  // namespace ganglion

#include "agents/fair_queue.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ganglion::agents {
namespace {

struct Waiting : FairQueue::Item {
  std::string name;
  std::string key;
};

class FairQueueTest : public ::testing::Test {
 protected:
  // The key is the name's first letter.
  Waiting& add(std::string name, std::int32_t priority = 0) {
    std::string key = name.substr(0, 1);
    Waiting& item = items.emplace_back(Waiting{{}, std::move(name), std::move(key)});
    queue.add(item, item.key, priority);
    return item;
  }
  void add_all(const std::vector<std::string>& names) {
    for (const std::string& name : names) add(name);
  }
  Waiting& take() { return static_cast<Waiting&>(queue.take()); }
  std::string take_all() {
    std::string names;
    while (!queue.empty()) names += (names.empty() ? "" : " ") + take().name;
    return names;
  }

  std::uint64_t serial = 0;
  std::deque<Waiting> items;
  FairQueue queue{serial};
};

TEST_F(FairQueueTest, TasksOfOneKeyGoInOrderOfArrival) {
  add_all({"a1", "a2", "a3"});
  EXPECT_EQ(take_all(), "a1 a2 a3");
}

TEST_F(FairQueueTest, KeysTakeTurnsHoweverManyTasksOneHas) {
  add_all({"a1", "a2", "a3", "a4", "b1", "c1", "b2"});
  EXPECT_EQ(take_all(), "a1 b1 c1 a2 b2 a3 a4");
}

TEST_F(FairQueueTest, PriorityGoesBeforeFairness) {
  add("a1");
  add("b1", -1);
  add("a2", 7);
  add("a3", 7);
  EXPECT_EQ(take_all(), "a2 a3 a1 b1");
}

TEST_F(FairQueueTest, AKeyThatComesLateWaitsForOneTaskOfEachOther) {
  add_all({"a1", "a2", "a3", "a4", "a5"});
  take();
  take();
  add_all({"b1", "b2"});
  EXPECT_EQ(take_all(), "b1 a3 b2 a4 a5");
}

TEST_F(FairQueueTest, AKeyThatComesBackAtOnceGainsNothing) {
  add_all({"a1", "a2", "a3", "b1"});
  EXPECT_EQ(take().name, "a1");
  EXPECT_EQ(take().name, "b1");
  add("b2");
  EXPECT_EQ(take().name, "a2");
  EXPECT_EQ(take().name, "b2");
  add("b3");
  EXPECT_EQ(take_all(), "a3 b3");
}

TEST_F(FairQueueTest, ATaskThatIsPutBackGoesFirstAndIsNotCountedTwice) {
  add_all({"a1", "a2", "b1", "b2"});
  Waiting& first = take();
  Waiting& second = take();
  queue.put_back(second);
  queue.put_back(first);
  EXPECT_EQ(queue.size(), 4U);
  EXPECT_EQ(take_all(), "a1 b1 a2 b2");
}

TEST_F(FairQueueTest, ATaskThatIsPutBackIntoAnEmptyQueueKeepsItsPlace) {
  add_all({"a1", "a2", "a3"});
  take();
  take();
  Waiting& last = take();
  add_all({"b1", "a4"});
  queue.put_back(last);
  EXPECT_EQ(take_all(), "a3 b1 a4");
}

TEST_F(FairQueueTest, WithdrawnTasksCostTheirKeyNothing) {
  add_all({"b1", "b2", "b3"});
  std::vector<Waiting*> withdrawn;
  for (int i = 0; i < 100; ++i) withdrawn.push_back(&add("a"));
  for (Waiting* item : withdrawn) queue.remove(*item);
  add("a1");
  EXPECT_EQ(take_all(), "b1 a1 b2 b3");
}

TEST_F(FairQueueTest, ATaskPutBackCanBeWithdrawn) {
  add_all({"a1", "a2"});
  Waiting& first = take();
  queue.put_back(first);
  queue.remove(first);
  EXPECT_EQ(take_all(), "a2");
}

TEST_F(FairQueueTest, TheRankSaysWhichOfTwoQueuesHasWaitedLongerForItsTurn) {
  FairQueue other(serial);
  Waiting quiet{{}, "q1", "q"};
  add_all({"a1", "a2", "a3"});
  take();
  other.add(quiet, quiet.key, 0);
  // a2 arrived first, but its key's turn began when a1 was taken; q's came after that.
  EXPECT_TRUE(queue.rank() < other.rank());
  take();
  EXPECT_TRUE(other.rank() < queue.rank());
  add("a9", 1);
  EXPECT_TRUE(queue.rank() < other.rank());
}

TEST_F(FairQueueTest, AFloodOfKeysWithOneTaskEachNeitherStarvesAKeyNorFillsTheMemory) {
  add_all({"a1", "a2", "a3"});
  take();
  std::deque<Waiting> flood;
  std::size_t until_a2 = 0;
  for (bool found = false; !found; ++until_a2) {
    ASSERT_LT(until_a2, 2 * FairQueue::kMaxResting);
    Waiting& one = flood.emplace_back(Waiting{{}, "one", "key-" + std::to_string(until_a2)});
    queue.add(one, one.key, 0);
    found = take().name == "a2";
    EXPECT_LE(queue.resting(), FairQueue::kMaxResting + 1);
  }
}

TEST_F(FairQueueTest, AnEmptyQueueRemembersNobody) {
  add_all({"a1", "b1", "c1"});
  take();
  EXPECT_EQ(queue.resting(), 1U);
  take_all();
  EXPECT_EQ(queue.resting(), 0U);
}

// Random arrivals, hand-outs and withdrawals of a few keys, against what the head of the header promises.
RC_GTEST_PROP(FairQueueProperty, ALoneTaskWaitsForAtMostOneTaskOfEachOtherKey, ()) {
  constexpr std::size_t kKeys = 5;
  struct Lone {
    std::map<std::string, int> passed_by;  // tasks of other keys since its arrival
  };
  std::uint64_t serial = 0;
  FairQueue queue(serial);
  std::deque<Waiting> items;
  std::map<std::string, std::vector<Waiting*>> waiting;
  std::map<Waiting*, Lone> lone;

  const auto a_move = rc::gen::pair(rc::gen::inRange(0U, 10U), rc::gen::inRange(0U, 1'000U));
  const auto moves =
      *rc::gen::resize(400, rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(a_move));
  for (const auto& [what, which] : moves) {
    const std::string key(1, static_cast<char>('a' + which % kKeys));
    if (what < 5) {
      Waiting& item = items.emplace_back(Waiting{{}, key, key});
      queue.add(item, key, 0);
      waiting[key].push_back(&item);
      if (waiting[key].size() == 1) lone[&item] = {};
    } else if (what < 9) {
      if (queue.empty()) continue;
      auto& taken = static_cast<Waiting&>(queue.take());
      RC_ASSERT(waiting[taken.key].front() == &taken);
      waiting[taken.key].erase(waiting[taken.key].begin());
      lone.erase(&taken);
      for (auto& [item, history] : lone) RC_ASSERT(++history.passed_by[taken.key] <= 1);
    } else if (!waiting[key].empty()) {
      const auto at = waiting[key].begin() + which % waiting[key].size();
      queue.remove(**at);
      lone.erase(*at);
      waiting[key].erase(at);
    }
    std::size_t total = 0;
    for (const auto& [of, tasks] : waiting) total += tasks.size();
    RC_ASSERT(queue.size() == total);
    RC_ASSERT(queue.resting() <= kKeys);
  }
}

RC_GTEST_PROP(FairQueueProperty, WhatIsPutBackComesInTheOrderInWhichItWasTaken, ()) {
  std::uint64_t serial = 0;
  FairQueue queue(serial);
  std::deque<Waiting> items;
  const auto keys = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4)));
  for (const int key : keys) {
    Waiting& item = items.emplace_back(Waiting{{}, "", std::to_string(key)});
    queue.add(item, item.key, key % 2);
  }
  const auto count = *rc::gen::inRange<std::size_t>(1, keys.size() + 1);
  std::vector<FairQueue::Item*> taken;
  for (std::size_t i = 0; i < count; ++i) taken.push_back(&queue.take());
  auto back = taken;
  std::ranges::reverse(back);
  for (FairQueue::Item* item : back) queue.put_back(*item);
  for (FairQueue::Item* item : taken) RC_ASSERT(&queue.take() == item);
}

}  // namespace
}  // namespace ganglion::agents

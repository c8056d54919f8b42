// Whatever workers, executors, coordinator and time do, and in whatever order: no attempt is given to two,
// and nothing is left behind.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "agents/pool.h"
#include "agents/pool_fixture.h"

namespace ganglion::agents {
namespace {

constexpr std::uint32_t kItems = 6;
constexpr std::uint32_t kWorkers = 3;

class World : public PoolTest {
 public:
  using PoolTest::reports;

  void TestBody() override {}

  // One random move; `what` chooses it, `which` its subject.
  void move(std::uint32_t what, std::uint32_t which) {
    const std::uint32_t item = which % kItems;
    const std::string worker = "w-" + std::to_string(which % kWorkers);
    switch (what % 12) {
      case 0:
        return dispatch(item);
      case 1:
        return pool.withdraw(token_of(item));
      case 2:
        return wait_for_tasks(worker, 1 + which % 3);
      case 3:
        return polls.empty() ? void() : pool.cancel_poll(polls[which % polls.size()]);
      case 4:
        held.erase(token_of(item));
        return pool.hand_back({token_of(item)});
      case 5:
        return pool.complete(success(item), [](const Result<Verdict>&) {});
      case 6:
        pool.heartbeat({.token = token_of(item), .worker = worker});
        return;
      case 7:
        return pool.worker_gone(worker);
      case 8:
        return executor.running.empty()
                   ? void()
                   : executor.end(executor.running.begin()->first, success(item).outcome);
      case 9:
        return clock.advance(Duration(1 + which % 20'000));
      case 10:
        reports.automatic = which % 3 == 0 ? Result<Verdict>(fail("unavailable", "")) : Verdict::accepted;
        return;
      default:
        return clock.run();
    }
  }

  void settle() {
    reports.automatic = Verdict::accepted;
    for (std::uint32_t item = 0; item < kItems; ++item) pool.withdraw(token_of(item));
    while (!executor.running.empty()) executor.end(executor.running.begin()->first, success(0).outcome);
    clock.advance(Duration(3'600'000));
  }

  bool pool_is_empty() const { return pool.statuses().empty() && clock.pending_timers() == 0; }

  bool given_to_two = false;

 private:
  void dispatch(std::uint32_t item) {
    if (dispatched.insert(item).second) pool.dispatch(task_of(item, item % 3 == 0 ? "process" : "worker"));
  }

  void wait_for_tasks(const std::string& worker, std::uint32_t max) {
    polls.push_back(pool.poll(request(worker, max), [this](const std::vector<HandedTask>& tasks) {
      for (const HandedTask& handed : tasks) {
        if (!held.insert(handed.task.token).second) given_to_two = true;
      }
    }));
  }

  std::set<std::uint32_t> dispatched;  // a coordinator makes a token once
  std::set<AttemptToken> held;
  std::vector<PollTicket> polls;
};

RC_GTEST_PROP(PoolProperty, NoAttemptIsGivenToTwoAndNothingIsLeftBehind, ()) {
  // Full size from the first case on: short sequences of small numbers hardly move anything.
  const auto a_move = rc::gen::pair(rc::gen::inRange(0U, 12U), rc::gen::inRange(0U, 1'000U));
  const auto moves =
      *rc::gen::resize(200, rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(a_move));
  World world;
  world.reports.automatic = Verdict::accepted;
  for (const auto& [what, which] : moves) world.move(what, which);
  world.settle();

  RC_ASSERT(!world.given_to_two);
  RC_ASSERT(world.pool_is_empty());
}

}  // namespace
}  // namespace ganglion::agents

// Whatever tasks, polls, results and time do, in whatever order: limits hold, nobody is passed by twice, and
// every task gets to its end.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/pool.h"
#include "agents/pool_fixture.h"

namespace ganglion::agents {
namespace {

constexpr std::size_t kConcurrency = 3;
constexpr Rate kRate{.count = 4, .per = Duration(1'000)};
constexpr std::size_t kBurst = 4;

// Two agents with the same limits: one asks for tasks, the other is run by the engine.
class LimitedWorld : public PoolTest {
 public:
  LimitedWorld() {
    for (const char* name : {"worker", "process"}) {
      auto agent = std::make_shared<AgentDefinition>(*agents.at(name));
      agent->concurrency = kConcurrency;
      agent->rate_limit = kRate;
      agent->breaker =
          ganglion::CircuitBreaker{.failures = 3, .window = Duration(10'000), .open = Duration(4'000)};
      agent->idle_timeout = Duration(8'000);
      agents[name] = std::move(agent);
    }
    reports.automatic = Verdict::accepted;
    executor.on_start = [this](const AttemptToken& token) { handed_out(token, 1); };
  }
  void TestBody() override {}

  void move(std::uint32_t what, std::uint32_t which) {
    switch (what) {
      case 0:
      case 1:
      case 2:
        return dispatch(which);
      case 3:
        return ask(1 + which % 4, which % 2 == 0 ? Duration::zero() : Duration(2'000));
      case 4:
        return end_one(which, success(0).outcome);
      case 5:
        return end_one(which, TaskFailure{"broken", "", which % 4 != 0});
      case 6:
        return with_held(which, [this](const AttemptToken& token) { hand_back(token); });
      case 7:
        return with_held(
            which, [this](const AttemptToken& token) { pool.heartbeat({.token = token, .worker = "w-1"}); });
      case 8:
        return withdraw(which);
      default:
        clock.advance(Duration(which));
        return end_reported();
    }
  }

  // A well-behaved world until nothing is left, or nothing moves any more.
  void settle() {
    for (int turn = 0; turn < 2'000 && !open.empty(); ++turn) {
      ask(8, Duration::zero());
      clock.advance(Duration(250));
      end_reported();
      while (!executor.running.empty()) end_execution(executor.running.begin()->first, success(0).outcome);
      const auto holding = held;
      for (const AttemptToken& token : holding) end_one_of(token, success(0).outcome);
      clock.run();
      end_reported();
    }
  }

  bool rate_held() const {
    for (const auto& [agent, times] : handed_out_at) {
      std::vector<Timestamp> sorted;
      for (const auto& [token, at] : times) sorted.push_back(at);
      std::ranges::sort(sorted);
      for (std::size_t last = kBurst; last < sorted.size(); ++last) {
        for (std::size_t first = 0; first <= last; ++first) {
          const auto time = (sorted[last] - sorted[first]).count();
          if (static_cast<std::int64_t>(last - first + 1 - kBurst) * kRate.per.count() >
                  time * static_cast<std::int64_t>(kRate.count) &&
              last - first + 1 > kBurst) {
            return false;
          }
        }
      }
    }
    return true;
  }

  std::vector<std::string> broken;  // what was not as promised
  std::set<AttemptToken> open;      // dispatched, not ended

 private:
  static std::string agent_of(const AttemptToken& token) {
    return token.item.value() % 2 == 0 ? "worker" : "process";
  }
  static std::string key_of(const AttemptToken& token) { return std::to_string(token.item.value() / 2 % 3); }

  void dispatch(std::uint32_t which) {
    // The item gives agent and key; a number of its own makes it new.
    Task task = task_of(which % 6 + 6 * next_++);
    const AttemptToken token = task.token;
    task.agent = agent_of(token);
    task.fairness_key = key_of(token);
    task.fallback_follows = which % 5 == 0;
    open.insert(token);
    const bool alone = std::ranges::none_of(queued_, [&](const AttemptToken& other) {
      return agent_of(other) == agent_of(token) && key_of(other) == key_of(token);
    });
    queued_.insert(token);
    if (alone) passed_by_[token] = {};
    pool.dispatch(std::move(task));
  }

  void ask(std::uint32_t max, Duration wait) {
    PollRequest all = request("w-1", max);
    all.wait = wait;
    pool.poll(all, [this](const std::vector<HandedTask>& tasks) {
      for (const HandedTask& handed : tasks) handed_out(handed.task.token, tasks.size());
    });
  }

  void handed_out(const AttemptToken& token, std::size_t together) {
    end_reported();
    const std::string agent = agent_of(token);
    held.insert(token);
    handed_out_at[agent][token] = clock.now();
    const auto of_agent =
        std::ranges::count_if(held, [&](const AttemptToken& other) { return agent_of(other) == agent; });
    if (static_cast<std::size_t>(of_agent) > kConcurrency) broken.emplace_back("concurrency");
    const AgentStatus status = pool.status(agent);
    if (status.breaker == BreakerState::open) broken.emplace_back("handed out by an open breaker");
    if (status.breaker == BreakerState::half_open && together > 1) broken.emplace_back("two probes");

    queued_.erase(token);
    passed_by_.erase(token);
    // What was handed back has had its turn before.
    if (handed_back_.contains(token)) return;
    for (auto& [alone, keys] : passed_by_) {
      if (agent_of(alone) == agent && ++keys[key_of(token)] > 1) broken.emplace_back("passed by twice");
    }
  }

  void ended(const AttemptToken& token) {
    open.erase(token);
    held.erase(token);
    queued_.erase(token);
    passed_by_.erase(token);
  }
  // What the pool itself has reported.
  void end_reported() {
    for (const TaskReport& report : reports.reports) ended(report.token);
    reports.reports.clear();
  }

  template <typename Action>
  void with_held(std::uint32_t which, Action action) {
    if (held.empty()) return;
    const AttemptToken token = *std::next(held.begin(), which % held.size());
    action(token);
  }
  void end_one(std::uint32_t which, const Outcome& outcome) {
    with_held(which, [&](const AttemptToken& token) { end_one_of(token, outcome); });
  }
  void end_one_of(const AttemptToken& token, const Outcome& outcome) {
    if (agent_of(token) == "process") {
      end_execution(token, outcome);
      return;
    }
    TaskReport report = success(0);
    report.token = token;
    report.outcome = outcome;
    pool.complete(std::move(report), [](const Result<Verdict>&) {});
    ended(token);
  }
  void end_execution(AttemptToken token, const Outcome& outcome) {
    if (!executor.running.contains(token)) return;
    executor.end(token, outcome);
    ended(token);
    clock.run();
  }
  void hand_back(const AttemptToken& token) {
    if (agent_of(token) == "process" || !pool.attempt(token)) return;
    pool.hand_back({token});
    held.erase(token);
    queued_.insert(token);
    handed_out_at[agent_of(token)].erase(token);
    handed_back_.insert(token);
  }
  void withdraw(std::uint32_t which) {
    if (open.empty()) return;
    const AttemptToken token = *std::next(open.begin(), which % open.size());
    pool.withdraw(token);
    ended(token);
  }

  std::uint32_t next_ = 0;
  std::set<AttemptToken> held;
  std::set<AttemptToken> queued_;
  std::set<AttemptToken> handed_back_;
  std::map<AttemptToken, std::map<std::string, int>> passed_by_;  // of those alone with their key
  std::map<std::string, std::map<AttemptToken, Timestamp>> handed_out_at;
};

RC_GTEST_PROP(PoolLimitsProperty, LimitsHoldNobodyIsPassedByTwiceAndEveryTaskEnds, ()) {
  const auto a_move = rc::gen::pair(rc::gen::inRange(0U, 11U), rc::gen::inRange(0U, 1'500U));
  const auto moves =
      *rc::gen::resize(300, rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(a_move));
  LimitedWorld world;
  for (const auto& [what, which] : moves) world.move(what, which);
  world.settle();

  RC_ASSERT(world.broken == std::vector<std::string>{});
  RC_ASSERT(world.rate_held());
  RC_ASSERT(world.open.empty());
}

}  // namespace
}  // namespace ganglion::agents

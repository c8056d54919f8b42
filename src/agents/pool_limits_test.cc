// What keeps a task from its agent although somebody would take it: concurrency, rate, circuit breaker; whose
// turn it is; and workers that fall silent.

#include "agents/pool.h"
#include "agents/pool_fixture.h"

namespace ganglion::agents {
namespace {

class PoolLimitsTest : public PoolTest {
 protected:
  PoolLimitsTest() { reports.automatic = Verdict::accepted; }

  // Changes the agent's definition from the next dispatch on.
  template <typename Change>
  void define(const std::string& name, Change change) {
    auto agent = std::make_shared<AgentDefinition>(*agents.at(name));
    change(*agent);
    agents[name] = std::move(agent);
  }
  void dispatch(std::uint32_t first, std::uint32_t last, const std::string& agent = "worker") {
    for (std::uint32_t item = first; item <= last; ++item) pool.dispatch(task_of(item, agent));
  }
  // What a worker gets that asks for everything and doesn't wait.
  std::vector<std::uint32_t> take_all(const std::string& agent = "worker") {
    PollRequest now = request("w-1", kMaxTasksPerPoll, agent);
    now.wait = Duration::zero();
    Answers answers;
    poll(answers, now);
    clock.run();
    return answers.at(0);
  }
  void complete(std::uint32_t item) {
    pool.complete(success(item), [](const Result<Verdict>&) {});
    clock.run();
  }
  void fail_one(std::uint32_t item, bool retryable = true) {
    TaskReport report = success(item);
    report.outcome = TaskFailure{"broken", "", retryable};
    pool.complete(std::move(report), [](const Result<Verdict>&) {});
    clock.run();
  }
  void open_breaker() {
    define("worker", [](AgentDefinition& agent) {
      agent.breaker =
          ganglion::CircuitBreaker{.failures = 2, .window = Duration(30'000), .open = Duration(10'000)};
    });
    dispatch(101, 102);
    EXPECT_EQ(take_all().size(), 2U);
    fail_one(101);
    fail_one(102);
    EXPECT_EQ(pool.status("worker").breaker, BreakerState::open);
    reports.reports.clear();
  }
};

using Items = std::vector<std::uint32_t>;

// --- concurrency
// ----------------------------------------------------------------------------------------------------

TEST_F(PoolLimitsTest, NoMoreAttemptsAreHandedOutThanTheConcurrencyAllows) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 2; });
  dispatch(1, 4);
  EXPECT_EQ(take_all(), (Items{1, 2}));
  EXPECT_EQ(take_all(), Items{});
  EXPECT_EQ(pool.status("worker").hold, Hold::concurrency);

  complete(1);
  EXPECT_EQ(take_all(), Items{3});
}

TEST_F(PoolLimitsTest, AWaitingPollGetsATaskAsSoonAsAnAttemptEnds) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  give(1);
  dispatch(2, 2);
  Answers answers;
  poll(answers, request("w-2"));
  clock.run();
  EXPECT_EQ(answers, Answers{});
  complete(1);
  EXPECT_EQ(answers, Answers{{2}});
}

TEST_F(PoolLimitsTest, TheConcurrencyOfADefinitionReplacesTheUsualOneOfItsKind) {
  define("process", [](AgentDefinition& agent) { agent.concurrency = 3; });
  dispatch(1, 5, "process");
  clock.run();
  EXPECT_EQ(executor.running.size(), 3U);
}

TEST_F(PoolLimitsTest, AFullAgentDoesNotKeepAPollFromTheOthersThatItNames) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  give(1);
  dispatch(2, 2);
  dispatch(3, 3, "other");
  PollRequest both = request("w-2", 8);
  both.agents = {"worker", "other"};
  Answers answers;
  poll(answers, both);
  clock.run();
  EXPECT_EQ(answers, Answers{{3}});
}

TEST_F(PoolLimitsTest, AnAttemptThatIsHandedBackMakesRoom) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  give(1);
  pool.hand_back({token_of(1)});
  EXPECT_EQ(take_all(), Items{1});
}

TEST_F(PoolLimitsTest, AWithdrawnAttemptHoldsItsPlaceUntilItsWorkerHasBeenTold) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  give(1);
  dispatch(2, 2);
  pool.withdraw(token_of(1));
  EXPECT_EQ(take_all(), Items{});
  EXPECT_TRUE(pool.heartbeat({.token = token_of(1), .worker = "w-1"}).cancelled);
  EXPECT_EQ(take_all(), Items{2});
  EXPECT_TRUE(pool.heartbeat({.token = token_of(1), .worker = "w-1"}).known);
}

TEST_F(PoolLimitsTest, AnAttemptFromBeforeARestartCountsAndIsNotRefused) {
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  dispatch(1, 3);
  EXPECT_EQ(take_all(), Items{1});
  EXPECT_FALSE(pool.heartbeat({.token = token_of(2), .worker = "w-old"}).cancelled);
  complete(1);
  EXPECT_EQ(take_all(), Items{});
  complete(2);
  EXPECT_EQ(take_all(), Items{3});
}

TEST_F(PoolLimitsTest, TheDefinitionOfTheNewestRunSaysWhatTheLimitsAre) {
  const RunId newer = RunId::make(Timestamp(1'700'000'000'001), 1, 2);
  define("worker", [](AgentDefinition& agent) { agent.concurrency = 1; });
  Task of_newer = task_of(1);
  of_newer.token.run = newer;
  pool.dispatch(of_newer);
  // A run that was started before, under a file without limits, goes on.
  define("worker", [](AgentDefinition& agent) { agent.concurrency.reset(); });
  dispatch(2, 3);
  EXPECT_EQ(take_all().size(), 1U);
}

// --- rate
// -----------------------------------------------------------------------------------------------------------

TEST_F(PoolLimitsTest, TasksAreHandedOutAtTheRateAndABeginningHasNoBurst) {
  define("worker",
         [](AgentDefinition& agent) { agent.rate_limit = Rate{.count = 2, .per = Duration(1'000)}; });
  dispatch(1, 10);
  EXPECT_EQ(take_all(), Items{1});
  EXPECT_EQ(take_all(), Items{});
  EXPECT_EQ(pool.status("worker").hold, Hold::rate_limit);
  EXPECT_EQ(pool.status("worker").held_until, clock.now() + Duration(500));
  clock.advance(Duration(500));
  EXPECT_EQ(take_all(), Items{2});
}

TEST_F(PoolLimitsTest, AWaitingPollGetsItsTaskAtTheMomentTheRateAllowsIt) {
  define("worker",
         [](AgentDefinition& agent) { agent.rate_limit = Rate{.count = 1, .per = Duration(5'000)}; });
  give(1);
  dispatch(2, 2);
  Answers answers;
  poll(answers, request("w-2"));
  clock.advance(Duration(4'999));
  EXPECT_EQ(answers, Answers{});
  clock.advance(Duration(1));
  EXPECT_EQ(answers, Answers{{2}});
}

TEST_F(PoolLimitsTest, TheRateHoldsForExecutorsToo) {
  define("process",
         [](AgentDefinition& agent) { agent.rate_limit = Rate{.count = 1, .per = Duration(1'000)}; });
  dispatch(1, 2, "process");
  clock.run();
  EXPECT_EQ(executor.running.size(), 1U);
  clock.advance(Duration(1'000));
  EXPECT_EQ(executor.running.size(), 2U);
}

TEST_F(PoolLimitsTest, TheRateIsRememberedWhileNothingIsQueued) {
  define("worker",
         [](AgentDefinition& agent) { agent.rate_limit = Rate{.count = 1, .per = Duration(60'000)}; });
  give(1);
  complete(1);
  clock.advance(Duration(59'000));
  dispatch(2, 2);
  EXPECT_EQ(take_all(), Items{});
}

TEST_F(PoolLimitsTest, WhatNeverReachedItsWorkerDoesNotCountAgainstTheRate) {
  define("worker",
         [](AgentDefinition& agent) { agent.rate_limit = Rate{.count = 1, .per = Duration(60'000)}; });
  give(1);
  pool.hand_back({token_of(1)});
  EXPECT_EQ(take_all(), Items{1});
}

// --- circuit breaker
// ------------------------------------------------------------------------------------------------

TEST_F(PoolLimitsTest, NothingIsHandedOutWhileTheBreakerIsOpenAndThenOneProbe) {
  open_breaker();
  dispatch(1, 3);
  Answers answers;
  poll(answers, request("w-1", 8));
  clock.advance(Duration(9'999));
  EXPECT_EQ(answers, Answers{});
  EXPECT_EQ(pool.status("worker").hold, Hold::circuit_breaker);

  clock.advance(Duration(1));
  EXPECT_EQ(answers, Answers{{1}});
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::half_open);
  EXPECT_EQ(take_all(), Items{});

  complete(1);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::closed);
  EXPECT_EQ(take_all(), (Items{2, 3}));
}

TEST_F(PoolLimitsTest, AFailedProbeOpensTheBreakerAgain) {
  open_breaker();
  dispatch(1, 2);
  clock.advance(Duration(10'000));
  EXPECT_EQ(take_all(), Items{1});
  fail_one(1);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::open);
  EXPECT_EQ(take_all(), Items{});
}

TEST_F(PoolLimitsTest, AProbeThatIsWithdrawnOrHandedBackMakesRoomForAnother) {
  open_breaker();
  dispatch(1, 3);
  clock.advance(Duration(10'000));
  EXPECT_EQ(take_all(), Items{1});
  pool.hand_back({token_of(1)});
  EXPECT_EQ(take_all(), Items{1});
  pool.withdraw(token_of(1));
  EXPECT_EQ(take_all(), Items{2});
}

TEST_F(PoolLimitsTest, TimeoutsAndDeadWorkersCountAsFailures) {
  define("worker", [](AgentDefinition& agent) {
    agent.breaker =
        ganglion::CircuitBreaker{.failures = 2, .window = Duration(60'000), .open = Duration(10'000)};
  });
  give(1, "w-1");
  give(2, "w-2");
  pool.worker_gone("w-1");
  clock.run();
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::closed);
  clock.advance(Duration(30'000));
  EXPECT_EQ(reports.failure_code(1), "timeout");
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::open);
}

TEST_F(PoolLimitsTest, OnlyWhatCountsAndIsRetryableOpensTheBreaker) {
  define("worker", [](AgentDefinition& agent) {
    agent.breaker =
        ganglion::CircuitBreaker{.failures = 1, .window = Duration(60'000), .open = Duration(10'000)};
  });
  dispatch(1, 4);
  take_all();
  fail_one(1, false);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::closed);
  reports.automatic = Verdict::stale_attempt;
  fail_one(2);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::closed);
  reports.automatic = fail("unavailable", "the disk is full");
  fail_one(3);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::closed);
  // A result that breaks the agent's schema is the agent's failure.
  reports.automatic = Verdict::invalid;
  complete(4);
  EXPECT_EQ(pool.status("worker").breaker, BreakerState::open);
}

TEST_F(PoolLimitsTest, ATaskWithAFallbackFailsAtOnceWhileTheBreakerIsOpen) {
  open_breaker();
  Task task = task_of(1);
  task.fallback_follows = true;
  pool.dispatch(task);
  dispatch(2, 2);
  EXPECT_TRUE(reports.reports.empty());
  clock.run();
  ASSERT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(reports.failure_code(0), "circuit_open");
  EXPECT_FALSE(std::get<TaskFailure>(reports.reports[0].outcome).retryable);
  EXPECT_EQ(pool.status("worker").queued, 1U);
  EXPECT_EQ(pool.status("worker").handed_out, 0U);
}

TEST_F(PoolLimitsTest, TasksWithAFallbackThatWaitWhenTheBreakerOpensFailInOrderOfArrival) {
  define("worker", [](AgentDefinition& agent) {
    agent.breaker =
        ganglion::CircuitBreaker{.failures = 1, .window = Duration(60'000), .open = Duration(10'000)};
  });
  give(9);
  for (const std::uint32_t item : {3U, 1U, 2U}) {
    Task task = task_of(item);
    task.fallback_follows = item != 2;
    task.fairness_key = "tenant-" + std::to_string(item);
    pool.dispatch(task);
  }
  fail_one(9);
  ASSERT_EQ(reports.reports.size(), 3U);
  EXPECT_EQ(reports.reports[1].token, token_of(3));
  EXPECT_EQ(reports.reports[2].token, token_of(1));
  clock.advance(Duration(10'000));
  EXPECT_EQ(take_all(), Items{2});
}

TEST_F(PoolLimitsTest, ATaskWithAFallbackMayBeTheProbeButDoesNotWaitForOne) {
  open_breaker();
  clock.advance(Duration(10'000));
  for (const std::uint32_t item : {1U, 2U}) {
    Task task = task_of(item);
    task.fallback_follows = true;
    pool.dispatch(task);
  }
  clock.run();
  EXPECT_TRUE(reports.reports.empty());
  EXPECT_EQ(take_all(), Items{1});
  ASSERT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(reports.reports[0].token, token_of(2));
}

// --- silence
// --------------------------------------------------------------------------------------------------------

TEST_F(PoolLimitsTest, AWorkerThatFallsSilentLosesItsAttempt) {
  define("worker", [](AgentDefinition& agent) { agent.idle_timeout = Duration(5'000); });
  give(1);
  for (int beat = 0; beat < 3; ++beat) {
    clock.advance(Duration(4'000));
    EXPECT_FALSE(pool.heartbeat({.token = token_of(1), .worker = "w-1"}).cancelled);
  }
  clock.advance(Duration(4'999));
  EXPECT_TRUE(reports.reports.empty());
  clock.advance(Duration(1));
  EXPECT_EQ(reports.failure_code(0), "idle_timeout");
  EXPECT_TRUE(std::get<TaskFailure>(reports.reports[0].outcome).retryable);
  EXPECT_TRUE(pool.heartbeat({.token = token_of(1), .worker = "w-1"}).cancelled);
}

TEST_F(PoolLimitsTest, HeartbeatsDoNotCarryAnAttemptPastItsDeadline) {
  define("worker", [](AgentDefinition& agent) { agent.idle_timeout = Duration(5'000); });
  give(1);
  for (int beat = 0; beat < 10; ++beat) {
    clock.advance(Duration(3'000));
    pool.heartbeat({.token = token_of(1), .worker = "w-1"});
  }
  ASSERT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(reports.failure_code(0), "timeout");
}

// --- whose turn it is
// -----------------------------------------------------------------------------------------------

TEST_F(PoolLimitsTest, AKeyWithOneTaskDoesNotWaitForAFloodOfAnother) {
  for (std::uint32_t item = 1; item <= 100; ++item) {
    Task task = task_of(item);
    task.fairness_key = "flood";
    pool.dispatch(task);
  }
  Task quiet = task_of(200);
  quiet.fairness_key = "quiet";
  pool.dispatch(quiet);
  Answers answers;
  poll(answers, request("w-1", 3));
  clock.run();
  EXPECT_EQ(answers, (Answers{{1, 200, 2}}));
}

TEST_F(PoolLimitsTest, ALoneTaskOfAnotherAgentOfThePollDoesNotWaitForAFloodEither) {
  dispatch(1, 100, "worker");
  PollRequest both = request("w-1", 2);
  both.agents = {"worker", "other"};
  Answers answers;
  poll(answers, both);
  clock.run();
  dispatch(200, 200, "other");
  poll(answers, both);
  clock.run();
  EXPECT_EQ(answers, (Answers{{1, 2}, {3, 200}}));
}

TEST_F(PoolLimitsTest, AReportSaysWhenItsTaskWasQueued) {
  const Timestamp queued = clock.now();
  dispatch(1, 1);
  clock.advance(Duration(700));
  take_all();
  clock.advance(Duration(300));
  TaskReport report = success(1);
  report.work = Duration(250);
  pool.complete(std::move(report), [](const Result<Verdict>&) {});
  EXPECT_EQ(reports.reports.at(0).queued_at, queued);
  EXPECT_EQ(reports.reports.at(0).started_at, queued + Duration(700));
  EXPECT_EQ(reports.reports.at(0).work, Duration(250));
}

TEST_F(PoolLimitsTest, PeopleAndRoutersAreNothingThatThePoolCanRun) {
  add_agent("person", HumanAgent{});
  add_agent("router", RouterAgent{});
  pool.dispatch(task_of(1, "person"));
  pool.dispatch(task_of(2, "router"));
  clock.run();
  EXPECT_EQ(reports.failure_code(0), "agent_unavailable");
  EXPECT_EQ(reports.failure_code(1), "agent_unavailable");
  EXPECT_TRUE(pool.statuses().empty());
}

}  // namespace
}  // namespace ganglion::agents

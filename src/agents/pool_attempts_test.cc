// What happens to an attempt after it was handed out: results, time, heartbeats, deaths, executors.

#include "agents/pool.h"
#include "agents/pool_fixture.h"
#include "agents/task_json.h"

namespace ganglion::agents {
namespace {

const Outcome kOne = TaskSuccess{Payload("1"), std::nullopt};

TEST_F(PoolTest, AResultIsPassedOnWithItsWorkerAndTheTimeOfItsHandOut) {
  give(1, "w-7");
  const Timestamp handed_out = clock.now();
  clock.advance(Duration(500));
  std::optional<Result<Verdict>> verdict;
  pool.complete(success(1), [&](Result<Verdict> answer) { verdict = std::move(answer); });

  ASSERT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(reports.reports[0].worker, "w-7");
  EXPECT_EQ(reports.reports[0].started_at, handed_out);
  EXPECT_FALSE(verdict);

  reports.answer(Verdict::accepted);
  EXPECT_EQ(verdict->value(), Verdict::accepted);
  EXPECT_TRUE(pool.statuses().empty());
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, EveryVerdictEndsTheAttemptHere) {
  for (const Verdict verdict :
       {Verdict::accepted, Verdict::stale_attempt, Verdict::unknown, Verdict::invalid}) {
    reports.automatic = verdict;
    give(1);
    pool.complete(success(1), [](const Result<Verdict>&) {});
    EXPECT_TRUE(pool.statuses().empty());
  }
}

TEST_F(PoolTest, AWorkerWhoseReportCouldNotBeDecidedHearsSoAndKeepsItsAttempt) {
  give(1);
  std::vector<bool> decided;
  const auto note = [&](const Result<Verdict>& verdict) { decided.push_back(verdict.has_value()); };
  pool.complete(success(1), note);
  reports.answer(fail("unavailable", "the disk is full"));
  EXPECT_TRUE(pool.attempt(token_of(1)));

  pool.complete(success(1), note);
  reports.answer(Verdict::accepted);
  EXPECT_EQ(decided, (std::vector<bool>{false, true}));
  EXPECT_FALSE(pool.attempt(token_of(1)));
}

TEST_F(PoolTest, AResultOfAnAttemptThatIsOnlyQueuedCountsAndRemovesTheQueuedCopy) {
  pool.dispatch(task_of(1));
  TaskReport report = success(1);
  report.worker = "w-from-before-the-restart";
  pool.complete(std::move(report), [](const Result<Verdict>&) {});
  EXPECT_EQ(reports.reports[0].worker, "w-from-before-the-restart");
  EXPECT_EQ(reports.reports[0].started_at, task_of(1).scheduled_at);
  reports.answer(Verdict::accepted);

  Answers answers;
  poll(answers, request());
  clock.run();
  EXPECT_EQ(answers, Answers{});
}

TEST_F(PoolTest, AResultOfAnAttemptThatThePoolDoesNotKnowIsStillJudged) {
  std::optional<Verdict> verdict;
  pool.complete(success(9), [&](const Result<Verdict>& answer) { verdict = answer.value(); });
  reports.answer(Verdict::unknown);
  EXPECT_EQ(verdict, Verdict::unknown);
}

TEST_F(PoolTest, AResultSentTwiceIsJudgedTwiceAndForgottenOnce) {
  give(1);
  std::vector<Verdict> verdicts;
  const auto note = [&](const Result<Verdict>& verdict) { verdicts.push_back(verdict.value()); };
  pool.complete(success(1), note);
  pool.complete(success(1), note);
  reports.answer(Verdict::accepted);
  reports.answer(Verdict::stale_attempt);
  EXPECT_EQ(verdicts, (std::vector<Verdict>{Verdict::accepted, Verdict::stale_attempt}));
}

TEST_F(PoolTest, AnAttemptWithoutResultIsReportedAsTimedOutAtItsDeadline) {
  give(1, "w-7");
  clock.advance(Duration(29'999));
  EXPECT_TRUE(reports.reports.empty());
  clock.advance(Duration(1));

  ASSERT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(reports.failure_code(0), "timeout");
  EXPECT_TRUE(std::get<TaskFailure>(reports.reports[0].outcome).retryable);
  EXPECT_EQ(reports.reports[0].worker, "w-7");
  reports.answer(Verdict::accepted);
  EXPECT_TRUE(pool.statuses().empty());
}

TEST_F(PoolTest, AHeartbeatDoesNotMoveTheDeadline) {
  give(1);
  const Timestamp deadline = deadlines[1];
  clock.advance(Duration(29'000));
  const HeartbeatReply reply = pool.heartbeat({.token = token_of(1), .worker = "w-1"});
  EXPECT_TRUE(reply.known);
  EXPECT_FALSE(reply.cancelled);
  EXPECT_EQ(reply.deadline, deadline);

  clock.advance(Duration(1'000));
  EXPECT_EQ(reports.failure_code(0), "timeout");
  EXPECT_TRUE(pool.heartbeat({.token = token_of(1), .worker = "w-1"}).cancelled);
}

TEST_F(PoolTest, AHeartbeatCarriesProgressAndDetailsUpToTheirBound) {
  give(1);
  pool.heartbeat({token_of(1), "w-1", 0.25, Payload("\"parsing\"")});
  pool.heartbeat({token_of(1), "w-1", 0.5, Payload("\"" + std::string(kMaxHeartbeatDetails, 'x') + "\"")});
  EXPECT_EQ(pool.attempt(token_of(1))->progress, 0.5);
  EXPECT_EQ(pool.attempt(token_of(1))->details, Payload("\"parsing\""));
}

TEST_F(PoolTest, AWorkerThatOutlivedARestartKeepsItsAttemptByItsHeartbeat) {
  // given: dispatched again after the restart, not handed out
  pool.dispatch(task_of(1));
  // when
  const HeartbeatReply reply = pool.heartbeat({.token = token_of(1), .worker = "w-old"});
  // then: nobody else gets it, and its clock runs
  EXPECT_TRUE(reply.known);
  EXPECT_FALSE(reply.cancelled);
  EXPECT_EQ(reply.deadline, clock.now() + Duration(30'000));
  Answers answers;
  poll(answers, request());
  clock.run();
  EXPECT_EQ(answers, Answers{});
  EXPECT_EQ(pool.attempt(token_of(1))->worker, "w-old");
}

TEST_F(PoolTest, AHeartbeatForAnAttemptThatEndedSaysSo) {
  const HeartbeatReply reply = pool.heartbeat({.token = token_of(9), .worker = "w-1"});
  EXPECT_FALSE(reply.known);
  EXPECT_TRUE(reply.cancelled);
}

TEST_F(PoolTest, AWorkerIsToldThatItsAttemptWasWithdrawnAndNoTimeoutIsReported) {
  give(1);
  pool.withdraw(token_of(1));
  const HeartbeatReply reply = pool.heartbeat({.token = token_of(1), .worker = "w-1"});
  EXPECT_TRUE(reply.known);
  EXPECT_TRUE(reply.cancelled);

  clock.advance(Duration(60'000));
  EXPECT_TRUE(reports.reports.empty());
  EXPECT_TRUE(pool.statuses().empty());
}

TEST_F(PoolTest, AResultThatCrossesItsWithdrawalIsJudgedAndForgotten) {
  give(1);
  std::optional<Verdict> verdict;
  pool.complete(success(1), [&](const Result<Verdict>& answer) { verdict = answer.value(); });
  pool.withdraw(token_of(1));
  reports.answer(Verdict::stale_attempt);
  EXPECT_EQ(verdict, Verdict::stale_attempt);
  EXPECT_TRUE(pool.statuses().empty());
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, AWithdrawnTaskThatComesBackIsForgotten) {
  give(1);
  pool.withdraw(token_of(1));
  pool.hand_back({token_of(1)});
  EXPECT_TRUE(pool.statuses().empty());
}

TEST_F(PoolTest, AWorkerIsSeenWhenItPollsReportsOrSaysThatItLives) {
  give(1);
  clock.advance(Duration(10'000));
  pool.heartbeat({.token = token_of(1), .worker = "w-1"});
  EXPECT_EQ(pool.status("worker").workers.at(0).last_seen, clock.now());
  clock.advance(Duration(10'000));
  pool.complete(success(1), [](const Result<Verdict>&) {});
  EXPECT_EQ(pool.status("worker").workers.at(0).last_seen, clock.now());
}

TEST_F(PoolTest, TheAttemptsOfADeadWorkerFailAtOnceAndNobodyElses) {
  give(1, "python-1");
  give(2, "python-1-b");
  give(3, "python-10");
  pool.worker_gone("python-1");
  clock.run();

  ASSERT_EQ(reports.reports.size(), 2U);
  EXPECT_EQ(reports.failure_code(0), "worker_lost");
  EXPECT_TRUE(std::get<TaskFailure>(reports.reports[0].outcome).retryable);
  EXPECT_EQ(reports.reports[0].worker, "python-1");
  EXPECT_EQ(reports.reports[1].worker, "python-1-b");
  EXPECT_TRUE(pool.attempt(token_of(3)));
}

TEST_F(PoolTest, ADeadWorkersPollGetsNoTask) {
  Answers dead, alive;
  poll(dead, request("python-1"));
  poll(alive, request("python-2"));
  pool.worker_gone("python-1");
  pool.dispatch(task_of(1));
  clock.run();
  EXPECT_EQ(dead, Answers{{}});
  EXPECT_EQ(alive, Answers{{1}});
}

TEST_F(PoolTest, AReportOfThePoolsOwnIsMadeAgainWithGrowingPausesUntilItIsDecided) {
  reports.automatic = fail("unavailable", "the disk is full");
  give(1);
  pool.worker_gone("w-1");
  clock.run();
  EXPECT_EQ(reports.reports.size(), 1U);
  clock.advance(Duration(50));
  EXPECT_EQ(reports.reports.size(), 2U);
  clock.advance(Duration(99));
  EXPECT_EQ(reports.reports.size(), 2U);
  clock.advance(Duration(1));
  EXPECT_EQ(reports.reports.size(), 3U);
  clock.advance(Duration(60'000));
  EXPECT_LT(reports.reports.size(), 24U);

  reports.automatic = Verdict::accepted;
  clock.advance(Duration(5'000));
  EXPECT_TRUE(pool.statuses().empty());
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, AReportThatIsNotWantedAnyMoreIsNotMadeAgain) {
  reports.automatic = fail("unavailable", "the disk is full");
  give(1);
  pool.worker_gone("w-1");
  clock.run();
  pool.withdraw(token_of(1));
  clock.advance(Duration(60'000));
  EXPECT_EQ(reports.reports.size(), 1U);
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, AnAgentThatNothingCanRunFailsForGoodAndNotInsideTheDispatch) {
  add_agent("web", HttpAgent{});
  pool.dispatch(task_of(1, "nobody"));
  pool.dispatch(task_of(2, "web"));
  EXPECT_TRUE(reports.reports.empty());
  clock.run();
  ASSERT_EQ(reports.reports.size(), 2U);
  EXPECT_EQ(reports.failure_code(0), "agent_unavailable");
  EXPECT_EQ(reports.failure_code(1), "agent_unavailable");
  EXPECT_FALSE(std::get<TaskFailure>(reports.reports[0].outcome).retryable);
}

// --- executors
// ------------------------------------------------------------------------------------------------------

TEST_F(PoolTest, AnExecutorRunsNoMoreAttemptsAtOnceThanItsBound) {
  reports.automatic = Verdict::accepted;
  for (std::uint32_t item = 1; item <= 3; ++item) pool.dispatch(task_of(item, "process"));
  clock.run();
  EXPECT_EQ(executor.running.size(), 2U);
  EXPECT_EQ(pool.status("process").queued, 1U);

  executor.end(token_of(1), kOne);
  clock.run();
  EXPECT_TRUE(executor.running.contains(token_of(3)));
  EXPECT_EQ(std::get<TaskSuccess>(reports.reports.at(0).outcome).output, Payload("1"));
}

TEST_F(PoolTest, AnOutcomeThatCouldNotBeReportedKeepsItsSlotUntilItIs) {
  reports.automatic = fail("unavailable", "the disk is full");
  for (std::uint32_t item = 1; item <= 3; ++item) pool.dispatch(task_of(item, "process"));
  clock.run();
  executor.end(token_of(1), kOne);
  clock.run();
  EXPECT_FALSE(executor.running.contains(token_of(3)));

  reports.automatic = Verdict::accepted;
  clock.advance(Duration(5'000));
  EXPECT_TRUE(executor.running.contains(token_of(3)));
}

TEST_F(PoolTest, AnExecutionThatIsOutOfTimeIsReportedCancelledAndHoldsItsSlotUntilItHasEnded) {
  reports.automatic = Verdict::accepted;
  for (std::uint32_t item = 1; item <= 2; ++item) pool.dispatch(task_of(item, "process"));
  clock.run();
  Task late = task_of(3, "process");
  pool.dispatch(late);
  clock.advance(Duration(30'000));
  EXPECT_EQ(reports.reports.size(), 2U);
  EXPECT_EQ(reports.failure_code(0), "timeout");
  EXPECT_EQ(executor.cancelled, (std::vector{token_of(1), token_of(2)}));
  EXPECT_FALSE(executor.running.contains(token_of(3)));

  executor.end(token_of(1), TaskFailure{"crashed", "killed", true});
  clock.run();
  EXPECT_EQ(reports.reports.size(), 2U);
  EXPECT_TRUE(executor.running.contains(token_of(3)));
}

TEST_F(PoolTest, AWithdrawnExecutionIsCancelledAndNeverReported) {
  pool.dispatch(task_of(1, "process"));
  clock.run();
  pool.withdraw(token_of(1));
  EXPECT_EQ(executor.cancelled, std::vector{token_of(1)});
  executor.end(token_of(1), kOne);
  clock.run();
  EXPECT_TRUE(reports.reports.empty());
  EXPECT_TRUE(pool.statuses().empty());
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, StoppingCancelsExecutionsAndReportsNothingSoThatARestartRunsThemAgain) {
  pool.dispatch(task_of(1, "process"));
  clock.run();
  pool.stop();
  executor.end(token_of(1), TaskFailure{"crashed", "killed", true});
  clock.advance(Duration(60'000));
  EXPECT_EQ(executor.cancelled, std::vector{token_of(1)});
  EXPECT_TRUE(reports.reports.empty());
}

TEST_F(PoolTest, CallbacksThatComeAfterThePoolsEndDoNothing) {
  testing::VirtualClock later;
  FakeExecutor orphan;
  bool answered = false;
  {
    Pool pool(later, [this](const std::string&, const std::string& name) { return agents.at(name); },
              {.process = &orphan});
    pool.connect(reports);
    pool.dispatch(task_of(1, "process"));
    later.run();
    pool.poll(request(), [&](const std::vector<HandedTask>&) { answered = true; });
  }
  orphan.end(token_of(1), kOne);
  later.advance(Duration(60'000));
  EXPECT_FALSE(answered);
  EXPECT_TRUE(reports.reports.empty());
}

// --- as agents see it
// -------------------------------------------------------------------------------------------------

TEST(TaskJson, HasTheMembersOfTheContract) {
  Task task = task_of(4);
  task.mapped = true;
  task.input = Payload(R"({"file": "a \"b\".py"})");
  task.session_id = "s-1";
  task.iteration = 2;
  task.state_version = 9;
  const std::string token = task.token.text();
  EXPECT_EQ(
      task_json(task, Timestamp(0)),
      R"({"token":")" + token + R"(","run_id":")" + kRun.text() +
          R"(","step":"step","item":4,"attempt":1,"iteration":2,"agent":"worker","input":{"file": "a \"b\".py"},)" +
          R"("idempotency_key":")" + task.token.idempotency_key() +
          R"(/2","traceparent":null,"session_id":"s-1","state_version":9,"deadline":"1970-01-01T00:00:00.000Z"})");
}

}  // namespace
}  // namespace ganglion::agents

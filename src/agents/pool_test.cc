// Queues, polls and their matching. Attempts after the hand-out: pool_attempts_test.cc.

#include "agents/pool.h"

#include "agents/pool_fixture.h"

namespace ganglion::agents {
namespace {

TEST_F(PoolTest, APollGetsWhatIsQueuedButNeverInsideTheCall) {
  pool.dispatch(task_of(1));
  Answers answers;
  poll(answers, request());
  EXPECT_EQ(answers, Answers{});

  clock.run();
  EXPECT_EQ(answers, Answers{{1}});
}

TEST_F(PoolTest, AWaitingPollGetsEverythingThatArrivesInOneTurnUpToItsMaximum) {
  Answers answers;
  poll(answers, request("w-1", 3));
  clock.run();
  for (std::uint32_t item = 1; item <= 4; ++item) pool.dispatch(task_of(item));
  clock.run();

  EXPECT_EQ(answers, (Answers{{1, 2, 3}}));
  EXPECT_EQ(pool.status("worker").queued, 1U);
}

TEST_F(PoolTest, APollWithoutTasksIsAnsweredEmptyWhenItsTimeIsUpAndNotBefore) {
  Answers answers;
  poll(answers, request());
  clock.advance(Duration(29'999));
  EXPECT_EQ(answers, Answers{});

  clock.advance(Duration(1));
  EXPECT_EQ(answers, Answers{{}});
  EXPECT_EQ(pool.status("worker").waiting_polls, 0U);
}

TEST_F(PoolTest, APollThatDoesNotWaitIsAnsweredAtOnceWithOrWithoutTasks) {
  PollRequest now = request("w-1", 8);
  now.wait = Duration::zero();
  Answers empty;
  poll(empty, now);
  clock.run();
  EXPECT_EQ(empty, Answers{{}});

  pool.dispatch(task_of(1));
  Answers full;
  poll(full, now);
  clock.run();
  EXPECT_EQ(full, Answers{{1}});
}

TEST_F(PoolTest, PollsAreServedOldestFirst) {
  Answers first, second, third;
  poll(first, request("w-1"));
  poll(second, request("w-2"));
  poll(third, request("w-3"));
  pool.dispatch(task_of(1));
  pool.dispatch(task_of(2));
  clock.run();

  EXPECT_EQ(first, Answers{{1}});
  EXPECT_EQ(second, Answers{{2}});
  EXPECT_EQ(third, Answers{});
}

TEST_F(PoolTest, TasksGoByPriorityThenInOrderOfArrivalAcrossTheAgentsOfAPoll) {
  pool.dispatch(task_of(1, "worker"));
  pool.dispatch(task_of(2, "other"));
  pool.dispatch(task_of(3, "worker", 5));
  pool.dispatch(task_of(4, "other", 9));
  pool.dispatch(task_of(5, "worker", -1));
  Answers answers;
  PollRequest both = request("w-1", 10);
  both.agents = {"worker", "other", "worker"};
  poll(answers, both);
  clock.run();

  EXPECT_EQ(answers, (Answers{{4, 3, 1, 2, 5}}));
}

TEST_F(PoolTest, APollGetsOnlyTasksOfTheAgentsThatItNames) {
  Answers answers;
  poll(answers, request("w-1", 8, "other"));
  pool.dispatch(task_of(1, "worker"));
  clock.run();

  EXPECT_EQ(answers, Answers{});
  EXPECT_EQ(pool.status("worker").queued, 1U);
}

TEST_F(PoolTest, ACancelledPollGetsNothingAndTheTaskGoesToTheNext) {
  Answers gone, next;
  const PollTicket ticket = poll(gone, request("w-1"));
  poll(next, request("w-2"));
  pool.dispatch(task_of(1));
  pool.cancel_poll(ticket);
  clock.advance(Duration(60'000));

  EXPECT_EQ(gone, Answers{});
  EXPECT_EQ(next, Answers{{1}});
}

TEST_F(PoolTest, CancellingAPollThatWasAnsweredChangesNothing) {
  pool.dispatch(task_of(1));
  Answers answers;
  const PollTicket ticket = poll(answers, request());
  clock.run();
  pool.cancel_poll(ticket);

  EXPECT_EQ(pool.status("worker").handed_out, 1U);
}

TEST_F(PoolTest, ATaskHandedBackKeepsItsPlaceAndItsAttempt) {
  // given: 1 and 2 are handed out, 3 waits
  for (std::uint32_t item = 1; item <= 3; ++item) pool.dispatch(task_of(item));
  Answers lost;
  poll(lost, request("w-1", 2));
  clock.run();
  ASSERT_EQ(lost, (Answers{{1, 2}}));

  // when
  pool.hand_back({token_of(2), token_of(1)});
  Answers answers;
  poll(answers, request("w-2", 3));
  clock.run();

  // then
  EXPECT_EQ(answers, (Answers{{1, 2, 3}}));
  EXPECT_EQ(pool.attempt(token_of(1))->worker, "w-2");
  EXPECT_TRUE(reports.reports.empty());
}

TEST_F(PoolTest, TheClockOfATaskHandedBackStopsAndStartsAnewWithTheNextHandOut) {
  give(1);
  clock.advance(Duration(20'000));
  pool.hand_back({token_of(1)});
  clock.advance(Duration(60'000));
  EXPECT_TRUE(reports.reports.empty());

  Answers answers;
  poll(answers, request("w-2"));
  clock.run();
  EXPECT_EQ(deadlines[1], clock.now() + Duration(30'000));
}

TEST_F(PoolTest, ATaskDispatchedTwiceIsHandedOutOnce) {
  pool.dispatch(task_of(1));
  pool.dispatch(task_of(1));
  Answers answers;
  poll(answers, request("w-1", 8));
  clock.run();
  pool.dispatch(task_of(1));
  Answers again;
  poll(again, request("w-2", 8));
  clock.run();

  EXPECT_EQ(answers, Answers{{1}});
  EXPECT_EQ(again, Answers{});
}

TEST_F(PoolTest, AWithdrawnTaskIsNotHandedOut) {
  pool.dispatch(task_of(1));
  pool.dispatch(task_of(2));
  Answers answers;
  poll(answers, request("w-1", 8));
  pool.withdraw(token_of(1));
  clock.run();

  EXPECT_EQ(answers, Answers{{2}});
}

TEST_F(PoolTest, TenThousandWaitingPollsAreEachAnsweredOnce) {
  constexpr std::uint32_t kPolls = 10'000;
  std::vector<Answers> answers(kPolls);
  for (std::uint32_t at = 0; at < kPolls; ++at) poll(answers[at], request("w-" + std::to_string(at)));
  for (std::uint32_t item = 0; item < kPolls / 2; ++item) pool.dispatch(task_of(item));
  clock.advance(Duration(30'000));

  for (std::uint32_t at = 0; at < kPolls; ++at) {
    EXPECT_EQ(answers[at], at < kPolls / 2 ? Answers{{at}} : Answers{{}}) << at;
  }
}

TEST_F(PoolTest, NamesThatNobodyDispatchesToLeaveNothingBehind) {
  for (int at = 0; at < 1000; ++at) {
    Answers answers;
    const PollTicket ticket = poll(answers, request("w-1", 1, "guess-" + std::to_string(at)));
    pool.cancel_poll(ticket);
  }
  EXPECT_TRUE(pool.statuses().empty());
  EXPECT_EQ(clock.pending_timers(), 0U);
}

TEST_F(PoolTest, StatusCountsTasksPollsAndTheWorkersSeenLately) {
  give(1, "w-1");
  pool.dispatch(task_of(2, "other"));
  Answers answers;
  poll(answers, request("w-2"));

  const AgentStatus status = pool.status("worker");
  EXPECT_EQ(status.handed_out, 1U);
  EXPECT_EQ(status.queued, 0U);
  EXPECT_EQ(status.waiting_polls, 1U);
  ASSERT_EQ(status.workers.size(), 2U);
  EXPECT_EQ(status.workers[0].worker, "w-1");
  EXPECT_EQ(status.workers[0].handed_out, 1U);
  ASSERT_EQ(pool.statuses().size(), 2U);
  EXPECT_EQ(pool.statuses()[0].agent, "other");
}

TEST_F(PoolTest, StoppingAnswersPollsEmptyAndHandsOutNothingAnyMore) {
  Answers waiting, later;
  poll(waiting, request("w-1"));
  pool.dispatch(task_of(1));
  pool.stop();
  EXPECT_EQ(waiting, Answers{});
  clock.run();
  poll(later, request("w-2"));
  clock.run();

  EXPECT_EQ(waiting, Answers{{}});
  EXPECT_EQ(later, Answers{{}});
}

TEST_F(PoolTest, APollThatIsAnsweredMayPollAgainInItsAnswer) {
  std::vector<std::uint32_t> seen;
  std::function<void()> loop = [&] {
    pool.poll(request("w-1"), [&](std::vector<HandedTask> tasks) {
      for (const HandedTask& handed : tasks) seen.push_back(handed.task.token.item.value());
      if (!tasks.empty()) loop();
    });
  };
  loop();
  for (std::uint32_t item = 1; item <= 3; ++item) pool.dispatch(task_of(item));
  clock.run();

  EXPECT_EQ(seen, (std::vector<std::uint32_t>{1, 2, 3}));
}

}  // namespace
}  // namespace ganglion::agents

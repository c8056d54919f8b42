#include "cluster/task_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "agents/pool_fixture.h"
#include "cluster/messages.h"

namespace ganglion::cluster {
namespace {

using agents::task_of;
using agents::token_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TaskPublisherTest : public agents::PoolTest {
 protected:
  std::uint64_t waiting(const std::string& agent = "worker") {
    return broker.depth(agent_queue(agent)).value_or(0);
  }
  // Somebody who knows nothing of this: keeps what it gets.
  void plain_client() {
    client.consume(agent_queue("worker"), 10,
                   [this](Delivery delivery) { taken.push_back(std::move(delivery)); });
    clock.run();
  }

  memory::Broker broker;
  memory::Bus bus{broker, clock};
  memory::Bus client{broker, clock};
  std::vector<Delivery> taken;
  std::vector<AttemptToken> withdrawn;
  std::vector<TaskReport> reported;
  std::vector<AttemptToken> again;
  TaskPublisher publisher{{.bus = bus,
                           .clock = clock,
                           .pool = &pool,
                           .performs = [](const std::string&) { return true; },
                           .reply_to = [](const std::string&) { return std::string("coordinator:default"); },
                           .withdrawn = [this](const auto& tokens) { withdrawn = tokens; },
                           .report = [this](TaskReport report) { reported.push_back(std::move(report)); },
                           .perform_again = [this](const AttemptToken& token) { again.push_back(token); },
                           .problem = [](const Error& error) { ADD_FAILURE() << error.message; }}};
};

TEST_F(TaskPublisherTest, ATaskThatSomebodyHereWaitsForTakesNoQueue) {
  Answers answers;
  poll(answers, {.agents = {"worker"}, .worker = "w", .max = 1, .wait = Duration(1'000)});
  publisher.dispatch(task_of(1));
  clock.run();
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1)));
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(TaskPublisherTest, ATaskThatNobodyHereWaitsForIsPublishedOnce) {
  publisher.dispatch(task_of(1));
  publisher.dispatch(task_of(1));
  clock.run();
  plain_client();
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].message.id, token_of(1).text());
  EXPECT_EQ(taken[0].message.type, kTaskType);
  EXPECT_EQ(taken[0].message.reply_to, "coordinator:default");
  EXPECT_EQ(read_task(taken[0].message.body)->token, token_of(1));
}

TEST_F(TaskPublisherTest, ATaskWhosePollHasGoneIsPublishedAfterAll) {
  Answers answers;
  const auto ticket =
      poll(answers, {.agents = {"worker"}, .worker = "w", .max = 1, .wait = Duration(10'000)});
  publisher.dispatch(task_of(1));
  pool.cancel_poll(ticket);
  clock.advance(Duration(19));
  EXPECT_EQ(waiting(), 0u);
  clock.advance(Duration(10));
  EXPECT_EQ(waiting(), 1u);
}

TEST_F(TaskPublisherTest, AWorkerThatHasAskedAMomentAgoGetsTheNextTaskToo) {
  publisher.polled("worker");
  publisher.dispatch(task_of(1));
  clock.advance(Duration(10));
  Answers answers;
  poll(answers, request());
  clock.run();
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1)));
  clock.advance(Duration(100));
  publisher.dispatch(task_of(2));
  clock.run();
  EXPECT_EQ(waiting(), 1u) << "it hasn't come back";
}

TEST_F(TaskPublisherTest, WhatTheBrokerDidNotTakeIsPublishedWhenItIsBack) {
  bus.cut();
  publisher.dispatch(task_of(1));
  clock.advance(Duration(60'000));
  EXPECT_EQ(waiting(), 0u);
  bus.mend();
  clock.advance(Duration(1'000));
  EXPECT_EQ(waiting(), 1u);
}

TEST_F(TaskPublisherTest, WhatTheBrokerDoesNotTakeGoesToWhoComesForItHere) {
  bus.cut();
  publisher.dispatch(task_of(1));
  clock.advance(Duration(5'000));
  Answers answers;
  poll(answers, {.agents = {"worker"}, .worker = "w", .max = 1, .wait = Duration(30'000)});
  clock.advance(Duration(10'000));
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1)));
  bus.mend();
  clock.advance(Duration(5'000));
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(TaskPublisherTest, AnAttemptHasItsWholeTimeoutFromWhenItMustHaveBeenTaken) {
  const Duration timeout = task_of(1).timeout;
  publisher.dispatch(task_of(1));
  clock.advance(10 * timeout);
  EXPECT_THAT(reported, IsEmpty()) << "it waits in the queue";
  plain_client();
  clock.advance(timeout - Duration(1));
  EXPECT_THAT(reported, IsEmpty());
  clock.advance(2 * timeout);
  ASSERT_THAT(reported, ::testing::Not(IsEmpty()));
  EXPECT_EQ(reported[0].token, token_of(1));
  EXPECT_EQ(std::get<TaskFailure>(reported[0].outcome).code, "timeout");
}

TEST_F(TaskPublisherTest, WhatAQueueHeldThatSomebodyHasRemovedIsPerformedAgain) {
  publisher.dispatch(task_of(1));
  clock.run();
  broker.remove(agent_queue("worker"));
  clock.advance(2 * task_of(1).timeout);
  EXPECT_THAT(again, ElementsAre(token_of(1)));
  EXPECT_THAT(reported, IsEmpty());
  publisher.dispatch(task_of(1));
  clock.run();
  EXPECT_EQ(waiting(), 1u);
}

TEST_F(TaskPublisherTest, WhatAMemberHasClaimedItWatchesAndItsDeathGivesBack) {
  publisher.dispatch(task_of(1));
  clock.run();
  plain_client();
  EXPECT_TRUE(publisher.claimed(token_of(1), "B"));
  EXPECT_FALSE(publisher.claimed(token_of(2), "B")) << "nobody here knows it";
  clock.advance(20 * task_of(1).timeout);
  EXPECT_THAT(reported, IsEmpty());
  publisher.member_gone("A");
  EXPECT_THAT(again, IsEmpty());
  publisher.member_gone("B");
  EXPECT_THAT(again, ElementsAre(token_of(1)));
  EXPECT_EQ(publisher.open(), 0u);
}

TEST_F(TaskPublisherTest, WhatSomebodyHasAlreadyIsNotPublishedOnceItsQueueIsThere) {
  publisher.dispatch(task_of(1));
  EXPECT_TRUE(publisher.claimed(token_of(1), "B"));
  clock.run();
  EXPECT_EQ(publisher.open(), 1u);
  publisher.member_gone("B");
  EXPECT_THAT(again, ElementsAre(token_of(1)));
}

TEST_F(TaskPublisherTest, WhatIsWithdrawnInOneTurnIsToldInOneMessage) {
  for (const std::uint32_t item : {1, 2, 3}) publisher.dispatch(task_of(item));
  clock.run();
  for (const std::uint32_t item : {1, 3}) publisher.withdraw(token_of(item));
  clock.run();
  EXPECT_THAT(withdrawn, ElementsAre(token_of(1), token_of(3)));
  EXPECT_EQ(publisher.open(), 1u);
}

}  // namespace
}  // namespace ganglion::cluster

#include "cluster/task_consumer.h"

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

class TaskConsumerTest : public agents::PoolTest {
 protected:
  TaskConsumerTest() {
    broker.declare(queue, {});
    pool.on_poll([this](const std::string& agent) { consumer.wanted(agent); });
  }
  void publish(const Task& task) {
    const BusMessage message{
        .id = task.token.text(), .type = kTaskType, .reply_to = {}, .body = task_message(task)};
    ASSERT_TRUE(broker.publish(queue, message));
  }
  void ask(std::uint32_t most) {
    poll(answers, {.agents = {"worker"}, .worker = "w", .max = most, .wait = Duration(20'000)});
    clock.run();
  }
  std::uint64_t waiting() { return broker.depth(queue).value(); }

  const std::string queue = agent_queue("worker");
  Answers answers;
  memory::Broker broker;
  memory::Bus bus{broker, clock};
  std::vector<AttemptToken> claims;
  bool home_knows = true;
  TaskConsumer consumer{{.bus = bus,
                         .clock = clock,
                         .pool = pool,
                         .prepare = [](const std::string&, auto done) { done({}); },
                         .performs = [](const std::string&) { return true; },
                         .claim =
                             [this](const AttemptToken& token, const std::string&, auto heard) {
                               claims.push_back(token);
                               heard(home_knows);
                             },
                         .give_back = [](const AttemptToken&, const std::string&) {},
                         .problem = [](const Error& error) { ADD_FAILURE() << error.message; }}};
};

TEST_F(TaskConsumerTest, TakesAsMuchAsIsAskedForHere) {
  for (std::uint32_t item = 1; item <= 10; ++item) publish(task_of(item));
  clock.advance(Duration(5'000));
  EXPECT_EQ(waiting(), 10u);
  ask(2);
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1, 2)));
  EXPECT_EQ(waiting(), 8u);
}

TEST_F(TaskConsumerTest, AcknowledgesWhatIsDecidedAndNotBefore) {
  publish(task_of(1));
  publish(task_of(2));
  ask(2);
  consumer.decided(token_of(1));
  bus.cut();
  EXPECT_EQ(waiting(), 1u) << "the second one comes back";
}

TEST_F(TaskConsumerTest, GivesBackWhatNobodyCameFor) {
  publish(task_of(1));
  ask(1);
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1)));
  publish(task_of(2));
  clock.run();
  consumer.decided(token_of(1));
  clock.run();
  EXPECT_EQ(consumer.held(), 1u);
  clock.advance(Duration(1'100));
  ask(1);
  clock.advance(Duration(1'100));
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST_F(TaskConsumerTest, DropsATaskThatWasDecidedHere) {
  publish(task_of(1));
  ask(1);
  consumer.decided(token_of(1));
  publish(task_of(1));
  ask(1);
  EXPECT_THAT(answers, ElementsAre(ElementsAre(1)));
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(consumer.held(), 0u);
}

TEST_F(TaskConsumerTest, ClaimsWhatIsKeptForHalfItsTimeout) {
  publish(task_of(1));
  ask(1);
  home_knows = false;
  clock.advance(task_of(1).timeout / 2);
  clock.advance(Duration(1'000));
  EXPECT_THAT(claims, ElementsAre(token_of(1)));
  home_knows = true;
  clock.advance(Duration(6'000));
  EXPECT_THAT(claims, ElementsAre(token_of(1), token_of(1)));
  bus.cut();
  EXPECT_EQ(waiting(), 0u) << "from then on the home knows who has it";
}

TEST_F(TaskConsumerTest, BuriesWhatIsNoTask) {
  ASSERT_TRUE(broker.publish(queue, {.id = "a", .type = "ganglion.task.v2", .reply_to = {}, .body = "{}"}));
  ASSERT_TRUE(broker.publish(queue, {.id = "b", .type = kTaskType, .reply_to = {}, .body = "{}"}));
  ask(4);
  EXPECT_EQ(broker.dead_letters(queue, 10)->size(), 2u);
  EXPECT_THAT(answers, IsEmpty());
}

TEST_F(TaskConsumerTest, ForgetsWhatIsWithdrawn) {
  publish(task_of(1));
  ask(1);
  consumer.withdrawn(token_of(1));
  bus.cut();
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(consumer.held(), 0u);
}

TEST_F(TaskConsumerTest, TakesNothingWhereNobodyHasAskedForAWhile) {
  ask(1);
  clock.advance(Duration(60'000));
  publish(task_of(1));
  clock.advance(Duration(100));
  EXPECT_EQ(waiting(), 1u);
  ask(1);
  EXPECT_THAT(answers.back(), ElementsAre(1));
}

}  // namespace
}  // namespace ganglion::cluster

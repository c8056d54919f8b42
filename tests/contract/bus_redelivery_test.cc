// What becomes of a message that its consumer doesn't acknowledge.

#include <gmock/gmock.h>

#include "contract/bus_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// With a prefetch of one, what follows comes only once what was before is settled.
TEST_P(BusContract, WhatIsAcknowledgedNeverComesAgain) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1", "m2"});
  {
    const auto mortal = broker_->connect();
    Inbox inbox(loop_);
    mortal->consume(queue, 1, inbox.consumer());
    const Delivery first = inbox.next();
    mortal->acknowledge(first.tag);
    mortal->acknowledge(first.tag);  // once more: nothing
    inbox.next();
  }
  driver_.publish_all(queue, {"m3"});
  Inbox inbox(loop_);
  bus().consume(queue, 1, inbox.consumer());
  std::vector<std::string> ids;
  for (int i = 0; i < 2; ++i) {
    const Delivery delivery = inbox.next();
    ids.push_back(delivery.message.id);
    bus().acknowledge(delivery.tag);
  }
  EXPECT_THAT(ids, UnorderedElementsAre("m2", "m3"));
  driver_.wait_for_depth(queue, 0);
  EXPECT_EQ(inbox.size(), 0u);
}

TEST_P(BusContract, WhatACancelledConsumerHadComesAgainMarked) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1"});
  Inbox first(loop_);
  const ConsumerId consumer = bus().consume(queue, 10, first.consumer());
  const Delivery before = first.next();
  bus().cancel(consumer);
  bus().acknowledge(before.tag);  // too late
  Inbox second(loop_);
  bus().consume(queue, 10, second.consumer());
  const Delivery again = second.next();
  EXPECT_EQ(again.message, before.message);
  EXPECT_TRUE(again.redelivered);
  EXPECT_EQ(first.size(), 0u);
}

TEST_P(BusContract, ACancelledConsumerGetsNothing) {
  const std::string queue = declared();
  Inbox cancelled(loop_);
  bus().cancel(bus().consume(queue, 10, cancelled.consumer()));
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  driver_.publish_all(queue, numbered("m", 5));
  EXPECT_THAT(inbox.next_ids(5), UnorderedElementsAreArray(numbered("m", 5)));
  EXPECT_EQ(cancelled.size(), 0u);
}

TEST_P(BusContract, WhatADeadProcessHadComesAgainMarked) {
  const std::string queue = declared();
  driver_.publish_all(queue, numbered("m", 3));
  {
    const auto mortal = broker_->connect();
    Inbox inbox(loop_);
    mortal->consume(queue, 10, inbox.consumer());
    inbox.next_ids(3);
  }
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(inbox.next().redelivered);
}

TEST_P(BusContract, WhatAProcessHadThatIsCutOffGoesToAnotherAndStaysThere) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1"});
  const auto remote = broker_->connect();
  Inbox there(loop_);
  remote->consume(queue, 1, there.consumer());
  const Delivery before = there.next();
  broker_->cut();
  Inbox here(loop_);
  const ConsumerId consumer = bus().consume(queue, 1, here.consumer());
  const Delivery again = here.next();
  EXPECT_EQ(again.message.id, "m1");
  EXPECT_TRUE(again.redelivered);
  // The remote one comes back, and what it says about it counts no more.
  broker_->mend();
  remote->acknowledge(before.tag);
  remote->bury(before.tag, "late");
  driver_.publish_all(queue, {"m2"});
  EXPECT_EQ(there.next().message.id, "m2");
  bus().cancel(consumer);
  Inbox third(loop_);
  bus().consume(queue, 1, third.consumer());
  EXPECT_EQ(third.next().message.id, "m1");
}

TEST_P(BusContract, AProcessThatWasCutOffGoesOn) {
  const std::string queue = declared();
  const auto remote = broker_->connect();
  BusDriver remote_driver(loop_, *remote);
  Inbox inbox(loop_);
  remote->consume(queue, 10, inbox.consumer());
  driver_.publish_all(queue, {"m1"});
  remote->acknowledge(inbox.next().tag);
  driver_.wait_for_depth(queue, 0);
  broker_->cut();
  std::optional<Result<void>> published;
  remote->publish(queue, bus_message("m2"), [&](Result<void> result) { published = result; });
  broker_->mend();
  loop_.run_until([&] { return published.has_value(); });
  EXPECT_TRUE(*published);
  while (inbox.next().message.id != "m2") continue;  // the acknowledgement may have been lost
}

TEST_P(BusContract, WhatIsGivenBackComesAgainMarked) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1"});
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  bus().requeue(inbox.next().tag);
  const Delivery again = inbox.next();
  EXPECT_EQ(again.message, bus_message("m1"));
  EXPECT_TRUE(again.redelivered);
}

TEST_P(BusContract, WhatIsBuriedNeverComesAgainAndLiesWithTheDeadLetters) {
  const std::string queue = declared();
  driver_.publish_all(queue, numbered("m", 4));
  Inbox inbox(loop_);
  bus().consume(queue, 1, inbox.consumer());
  for (int i = 0; i < 3; ++i) bus().bury(inbox.next().tag, "no use");
  bus().acknowledge(inbox.next().tag);
  EXPECT_THAT(driver_.wait_for_dead_letters(queue, 3), UnorderedElementsAre("m0", "m1", "m2"));
  // They stay.
  std::vector<BusMessage> two;
  while (two.size() < 2) two = driver_.dead_letters(queue, 2).value();
  EXPECT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0], bus_message(two[0].id));
  EXPECT_THAT(driver_.wait_for_dead_letters(queue, 3), UnorderedElementsAre("m0", "m1", "m2"));
  EXPECT_EQ(driver_.depth(queue), 0u);
}

TEST_P(BusContract, AMessageThatIsGivenBackTooOftenIsADeadLetter) {
  const std::string queue = declared({.max_deliveries = 3});
  driver_.publish_all(queue, {"poison", "good"});
  int deliveries = 0;
  bus().consume(queue, 1, [&](Delivery delivery) {
    if (delivery.message.id == "good") return bus().acknowledge(delivery.tag);
    ++deliveries;
    bus().requeue(delivery.tag);
  });
  EXPECT_THAT(driver_.wait_for_dead_letters(queue, 1), ElementsAre("poison"));
  EXPECT_EQ(deliveries, 3);
}

TEST_P(BusContract, AMessageThatKillsItsConsumersIsADeadLetter) {
  const std::string queue = declared({.max_deliveries = 2});
  driver_.publish_all(queue, {"poison"});
  for (int i = 0; i < 2; ++i) {
    const auto mortal = broker_->connect();
    Inbox inbox(loop_);
    mortal->consume(queue, 1, inbox.consumer());
    EXPECT_EQ(inbox.next().redelivered, i > 0);
  }
  Inbox inbox(loop_);
  bus().consume(queue, 1, inbox.consumer());
  EXPECT_THAT(driver_.wait_for_dead_letters(queue, 1), ElementsAre("poison"));
  EXPECT_EQ(inbox.size(), 0u);
}

}  // namespace
}  // namespace ganglion::testing

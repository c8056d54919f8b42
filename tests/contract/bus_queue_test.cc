// What goes into a queue, and how it comes out.

#include <gmock/gmock.h>

#include <set>

#include "contract/bus_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::UnorderedElementsAreArray;

TEST_P(BusContract, AMessageComesOutAsItWentIn) {
  const std::string queue = declared();
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  const BusMessage message = bus_message("m1");
  EXPECT_TRUE(driver_.publish(queue, message));
  const Delivery delivery = inbox.next();
  EXPECT_EQ(delivery.message, message);
  EXPECT_FALSE(delivery.redelivered);
}

TEST_P(BusContract, MessagesHoldAnyBytes) {
  const std::string queue = declared();
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  std::string all_bytes;
  for (int byte = 0; byte < 255; ++byte) all_bytes += static_cast<char>(byte);
  const BusMessage odd{.id = all_bytes, .type = all_bytes, .reply_to = all_bytes, .body = all_bytes + "\xff"};
  const BusMessage empty{.id = "", .type = "", .reply_to = "", .body = ""};
  const BusMessage large{.id = "läuft", .type = "t", .reply_to = "r", .body = unlike_text(1 << 20, 7)};
  for (const BusMessage& message : {odd, empty, large}) {
    EXPECT_TRUE(driver_.publish(queue, message));
    EXPECT_EQ(inbox.next().message, message);
  }
}

TEST_P(BusContract, TheLargestMessageIsTakenAndALargerOneRefused) {
  const std::string queue = declared();
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  BusMessage message{.id = "m", .type = "t", .reply_to = "", .body = std::string(kMaxBusMessage, 'x')};
  EXPECT_TRUE(driver_.publish(queue, message));
  EXPECT_EQ(inbox.next().message.body.size(), kMaxBusMessage);
  message.body += 'x';
  EXPECT_EQ(driver_.publish(queue, message).error().code, "too_large");
  BusMessage long_id = bus_message(std::string(kMaxBusProperty + 1, 'i'));
  EXPECT_EQ(driver_.publish(queue, long_id).error().code, "too_large");
}

TEST_P(BusContract, AMessageWaitsForItsConsumerLongerThanItsPublisherLives) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1"});
  bus_.reset();
  const auto other = broker_->connect();
  Inbox inbox(loop_);
  other->consume(queue, 10, inbox.consumer());
  EXPECT_EQ(inbox.next().message, bus_message("m1"));
}

TEST_P(BusContract, PublicationsAreAnsweredInTheOrderOfTheCalls) {
  const std::string queue = declared();
  std::vector<int> answered;
  bool inside_the_call = true;
  for (int i = 0; i < 500; ++i) {
    bus().publish(queue, bus_message("m"), [&, i](Result<void> result) {
      EXPECT_TRUE(result);
      EXPECT_FALSE(inside_the_call);
      answered.push_back(i);
    });
  }
  inside_the_call = false;
  loop_.run_until([&] { return answered.size() == 500; });
  EXPECT_TRUE(std::ranges::is_sorted(answered));
}

TEST_P(BusContract, AQueueThatNobodyHasDeclaredTakesNothing) {
  EXPECT_EQ(driver_.publish("nobody.s", bus_message("m1")).error().code, "unknown_queue");
  EXPECT_EQ(driver_.depth("nobody.s").error().code, "unknown_queue");
  EXPECT_EQ(driver_.dead_letters("nobody.s").error().code, "unknown_queue");
}

TEST_P(BusContract, AConsumerMayBeThereBeforeItsQueue) {
  Inbox inbox(loop_);
  bus().consume("later", 10, inbox.consumer());
  EXPECT_EQ(driver_.publish("later", bus_message("m0")).error().code, "unknown_queue");
  EXPECT_TRUE(driver_.declare("later"));
  driver_.publish_all("later", {"m1"});
  EXPECT_EQ(inbox.next().message.id, "m1");
}

TEST_P(BusContract, AConsumerOutlivesItsQueue) {
  const std::string queue = declared();
  Inbox inbox(loop_);
  bus().consume(queue, 10, inbox.consumer());
  driver_.publish_all(queue, {"m1"});
  const Delivery before = inbox.next();
  const auto other = broker_->connect();
  BusDriver other_driver(loop_, *other);
  EXPECT_TRUE(other_driver.remove(queue));
  EXPECT_TRUE(other_driver.declare(queue));
  bus().acknowledge(before.tag);  // of another queue by now
  other_driver.publish_all(queue, {"m2"});
  EXPECT_EQ(inbox.next().message.id, "m2");
}

TEST_P(BusContract, DeclaringAQueueAgainChangesNothing) {
  const std::string queue = declared({.max_length = 50});
  driver_.publish_all(queue, {"m1"});
  EXPECT_TRUE(driver_.declare(queue, {.max_length = 50}));
  EXPECT_EQ(driver_.depth(queue), 1u);
}

TEST_P(BusContract, OtherOptionsAreTakenOrRefused) {
  const std::string queue = declared({.max_length = 50});
  const Result<void> declared_again = driver_.declare(queue, {.max_length = 60});
  if (GetParam().changes_options)
    EXPECT_TRUE(declared_again);
  else
    EXPECT_EQ(declared_again.error().code, "queue_differs");
  driver_.publish_all(queue, {"m1"});
}

TEST_P(BusContract, ARemovedQueueIsGoneWithWhatItHeld) {
  const std::string queue = declared();
  driver_.publish_all(queue, {"m1", "m2"});
  Inbox inbox(loop_);
  bus().consume(queue, 1, inbox.consumer());
  bus().bury(inbox.next().tag, "no use");
  driver_.wait_for_dead_letters(queue, 1);
  EXPECT_TRUE(driver_.remove(queue));
  EXPECT_EQ(driver_.depth(queue).error().code, "unknown_queue");
  EXPECT_TRUE(driver_.remove(queue));
  EXPECT_TRUE(driver_.declare(queue));
  EXPECT_EQ(driver_.depth(queue), 0u);
  EXPECT_TRUE(driver_.dead_letters(queue).value().empty());
}

TEST_P(BusContract, AFullQueueRefusesUntilThereIsRoom) {
  constexpr std::uint64_t kBound = 20;
  const std::string queue = declared({.max_length = kBound});
  std::uint64_t taken = 0;
  Result<void> last;
  while (taken < 5 * kBound && (last = driver_.publish(queue, bus_message("m")))) ++taken;
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, "overloaded");
  EXPECT_GE(taken, kBound);
  EXPECT_LE(taken, kBound + 2);
  Inbox inbox(loop_);
  bus().consume(queue, 100, inbox.consumer());
  for (std::uint64_t i = 0; i < taken; ++i) bus().acknowledge(inbox.next().tag);
  while (!driver_.publish(queue, bus_message("later"))) continue;
  EXPECT_EQ(inbox.next().message.id, "later");
}

TEST_P(BusContract, AConsumerHasNoMoreThanItsPrefetchUnacknowledged) {
  const std::string queue = declared();
  driver_.publish_all(queue, numbered("m", 7));
  Inbox inbox(loop_);
  bus().consume(queue, 2, inbox.consumer());
  const Delivery first = inbox.next();
  const Delivery second = inbox.next();
  driver_.wait_for_depth(queue, 5);
  EXPECT_EQ(inbox.size(), 0u);
  bus().acknowledge(first.tag);
  inbox.next();
  driver_.wait_for_depth(queue, 4);
  EXPECT_EQ(inbox.size(), 0u);
  bus().acknowledge(second.tag);
  inbox.next();
}

TEST_P(BusContract, ConsumersShareAQueue) {
  const std::string queue = declared();
  const auto other = broker_->connect();
  Inbox here(loop_);
  Inbox there(loop_);
  bus().consume(queue, 5, here.consumer());
  other->consume(queue, 5, there.consumer());
  driver_.publish_all(queue, numbered("m", 10));
  std::vector<std::string> ids = here.next_ids(5);
  std::ranges::copy(there.next_ids(5), std::back_inserter(ids));
  EXPECT_THAT(ids, UnorderedElementsAreArray(numbered("m", 10)));
}

TEST_P(BusContract, ManyMessagesGoThroughASmallPrefetch) {
  const std::string queue = declared();
  std::multiset<std::string> seen;
  bus().consume(queue, 3, [&](Delivery delivery) {
    seen.insert(delivery.message.id);
    bus().acknowledge(delivery.tag);
  });
  driver_.publish_all(queue, numbered("m", 300));
  loop_.run_until([&] { return seen.size() == 300; });
  EXPECT_THAT(seen, UnorderedElementsAreArray(numbered("m", 300)));
  driver_.wait_for_depth(queue, 0);
}

TEST_P(BusContract, NamesAreMadeOfWordsBetweenColonsAndDots) {
  const std::string long_name = "agent:" + std::string(kMaxBusName - 6, 'x');
  for (const std::string& queue : {std::string("agent:coder"), std::string("agent:coder.v2:_-"), long_name}) {
    EXPECT_TRUE(driver_.declare(queue));
    Inbox inbox(loop_);
    const ConsumerId consumer = bus().consume(queue, 1, inbox.consumer());
    driver_.publish_all(queue, {"bad", "good"});
    bus().bury(inbox.next().tag, "no use");
    EXPECT_EQ(inbox.next().message.id, "good");
    EXPECT_EQ(driver_.wait_for_dead_letters(queue, 1), std::vector<std::string>{"bad"});
    driver_.wait_for_depth(queue, 0);
    bus().cancel(consumer);
    EXPECT_TRUE(driver_.remove(queue));
  }
}

TEST_P(BusContract, QueuesDontMix) {
  const std::string one = declared();
  const std::string two = declared();
  driver_.publish_all(one, {"one"});
  driver_.publish_all(two, {"two"});
  Inbox inbox(loop_);
  bus().consume(two, 10, inbox.consumer());
  EXPECT_EQ(inbox.next().message.id, "two");
  EXPECT_EQ(driver_.depth(one), 1u);
}

}  // namespace
}  // namespace ganglion::testing

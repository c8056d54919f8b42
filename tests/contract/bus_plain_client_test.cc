// What a bus makes of others at its broker: agents that are plain clients of it (docs/guide/queues.md).

#include <gmock/gmock.h>

#include "contract/bus_servers.h"
#include "contract/plain_client.h"

namespace ganglion::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

class PlainClients : public ::testing::TestWithParam<BusServerKind> {
 protected:
  std::unique_ptr<PlainClient> plain() {
    return plain_client(GetParam().name, server_.process().port(), prefix_);
  }

  BusMessage take(PlainClient& client, const std::string& queue) {
    std::optional<BusMessage> message;
    loop_.run_until([&] { return (message = client.take(queue)).has_value(); });
    return *message;
  }

  BusServer& server_ = GetParam().server();
  const std::string prefix_ = fresh_prefix();
  TestLoop loop_;
  std::unique_ptr<Bus> bus_ = server_.connect(loop_, server_.process().port(), prefix_);
  BusDriver driver_{loop_, *bus_};
};

TEST_P(PlainClients, WhatTheyPublishWithATypeAndABodyIsDelivered) {
  ASSERT_TRUE(driver_.declare("coordinator:default"));
  Inbox inbox(loop_);
  bus_->consume("coordinator:default", 10, inbox.consumer());
  driver_.publish_all("coordinator:default", {"m1"});
  bus_->acknowledge(inbox.next().tag);  // and now the consumer waits
  plain()->publish("coordinator:default", "ganglion.result.v1", "{}");
  const Delivery delivery = inbox.next();
  EXPECT_EQ(delivery.message,
            (BusMessage{.id = "", .type = "ganglion.result.v1", .reply_to = "", .body = "{}"}));
  EXPECT_FALSE(delivery.redelivered);
}

TEST_P(PlainClients, TheyGetMessagesAsTheyArePublishedAndMakeRoom) {
  ASSERT_TRUE(driver_.declare("agent:coder", {.max_length = 1}));
  const auto client = plain();
  for (const std::string& id : numbered("m", 5)) {
    while (!driver_.publish("agent:coder", bus_message(id))) continue;
    EXPECT_EQ(take(*client, "agent:coder"), bus_message(id));
    client->acknowledge();
  }
  driver_.wait_for_depth("agent:coder", 0);
  EXPECT_EQ(client->take("agent:coder"), std::nullopt);
}

TEST_P(PlainClients, WhatADeadOneHadComesAgainMarkedAndCounted) {
  ASSERT_TRUE(driver_.declare("agent:coder", {.max_deliveries = 2, .claim_after = milliseconds(300)}));
  driver_.publish_all("agent:coder", {"m1"});
  {
    const auto mortal = plain();
    take(*mortal, "agent:coder");
  }
  Inbox inbox(loop_);
  bus_->consume("agent:coder", 10, inbox.consumer());
  const Delivery again = inbox.next();
  EXPECT_EQ(again.message, bus_message("m1"));
  EXPECT_TRUE(again.redelivered);
  bus_->requeue(again.tag);
  EXPECT_THAT(driver_.wait_for_dead_letters("agent:coder", 1), ElementsAre("m1"));
}

// Nobody but them consumes the queue; who has declared it looks after what they have.
TEST_P(PlainClients, AMessageThatTheyDieOfIsADeadLetter) {
  if (!GetParam().counts_for_plain_clients)
    GTEST_SKIP() << "this broker doesn't say that one of several has died";
  ASSERT_TRUE(driver_.declare("agent:coder", {.max_deliveries = 2, .claim_after = milliseconds(300)}));
  driver_.publish_all("agent:coder", {"poison"});
  for (int i = 0; i < 2; ++i) {
    const auto mortal = plain();
    take(*mortal, "agent:coder");
  }
  // NATS looks how often only when somebody asks.
  const auto other = plain();
  while (driver_.dead_letters("agent:coder")->empty()) EXPECT_EQ(other->take("agent:coder"), std::nullopt);
  EXPECT_THAT(driver_.wait_for_dead_letters("agent:coder", 1), ElementsAre("poison"));
}

TEST_P(PlainClients, WhatIsLargerThanAMessageMayBeIsADeadLetter) {
  ASSERT_TRUE(driver_.declare("coordinator:default"));
  const auto client = plain();
  client->publish("coordinator:default", "t", std::string(kMaxBusMessage + 1, 'x'));
  client->publish("coordinator:default", "t", "small");
  Inbox inbox(loop_);
  bus_->consume("coordinator:default", 10, inbox.consumer());
  EXPECT_EQ(inbox.next().message.body, "small");
  driver_.wait_for_dead_letters("coordinator:default", 1);
}

INSTANTIATE_TEST_SUITE_P(Servers, PlainClients, ::testing::ValuesIn(installed_bus_servers()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ganglion::testing

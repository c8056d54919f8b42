// What only the NATS bus has to find out by itself; the rest is tests/contract.

#include "adapters/nats/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "adapters/nats/json.h"
#include "adapters/nats/queues.h"
#include "contract/bus_driver.h"
#include "servers/nats_server.h"
#include "servers/wire.h"

namespace ganglion::nats {
namespace {

using ganglion::testing::bus_message;
using ganglion::testing::BusDriver;
using ganglion::testing::Inbox;
using ganglion::testing::NatsServer;
using ganglion::testing::numbered;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kQueue = "agent.coder";
const std::string kStream = "ganglion+queue+agent=coder";

class NatsBus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ganglion::testing::is_installed(NatsServer::kProgram))
      GTEST_SKIP() << "Debian package nats-server is not installed";
  }

  std::unique_ptr<Bus> connect(const std::string& url) {
    return Bus::open(loop_.context(), {.url = url}).value();
  }

  void turn_for(std::chrono::milliseconds time) {
    bool over = false;
    loop_.clock().at(loop_.clock().now() + time, [&over] { over = true; });
    loop_.run_until([&over] { return over; });
  }

  Error refusal(const std::string& url) {
    const auto bus = Bus::open(loop_.context(), {.url = url});
    return bus ? Error() : bus.error();
  }

  ganglion::testing::TestLoop loop_;
};

TEST_F(NatsBus, WhatAConsumerWorksOnForLongStaysWithIt) {
  const NatsServer server;
  const auto bus = connect(server.url());
  const auto other = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  driver.publish_all(kQueue, {"m1"});
  Inbox working(loop_);
  bus->consume(kQueue, 1, working.consumer());
  const Delivery delivery = working.next();
  Inbox inbox(loop_);
  other->consume(kQueue, 1, inbox.consumer());
  turn_for(kLease * 3 / 2);
  EXPECT_EQ(inbox.size(), 0u);
  bus->acknowledge(delivery.tag);
  driver.publish_all(kQueue, {"m2"});
  EXPECT_EQ(inbox.next().message.id, "m2");
}

TEST_F(NatsBus, WhatAConsumerThatHangsHasGoesToAnother) {
  const NatsServer server;
  const auto hanging = connect(server.url());
  const auto other = connect(server.url());
  BusDriver driver(loop_, *hanging);
  ASSERT_TRUE(driver.declare(kQueue, {.claim_after = std::chrono::milliseconds(300)}));
  driver.publish_all(kQueue, {"m1"});
  Inbox hung(loop_);
  hanging->consume(kQueue, 1, hung.consumer());
  const Delivery before = hung.next();
  Inbox inbox(loop_);
  other->consume(kQueue, 1, inbox.consumer());
  EXPECT_TRUE(inbox.next().redelivered);
  hanging->bury(before.tag, "too late");
  EXPECT_TRUE(driver.dead_letters(kQueue)->empty());
}

// Both are the first message of their queue, and all that NATS keeps of a delivery is such a number.
TEST_F(NatsBus, ALateAcknowledgementMeansNothingInAQueueThatWasMadeAgain) {
  const NatsServer server;
  const auto late = connect(server.url());
  const auto other = connect(server.url());
  BusDriver driver(loop_, *other);
  ASSERT_TRUE(driver.declare(kQueue));
  driver.publish_all(kQueue, {"m1"});
  Inbox before(loop_);
  late->consume(kQueue, 1, before.consumer());
  const Delivery delivery = before.next();
  ASSERT_TRUE(driver.remove(kQueue));
  ASSERT_TRUE(driver.declare(kQueue));
  driver.publish_all(kQueue, {"m2"});
  late->acknowledge(delivery.tag);
  EXPECT_EQ(before.next().message.id, "m2");
}

TEST_F(NatsBus, AServerThatCameBackEmptyGetsItsQueuesBack) {
  NatsServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue, {.max_length = 1}));
  driver.publish_all(kQueue, {"lost"});
  server.wipe();
  Inbox inbox(loop_);
  ASSERT_TRUE(driver.publish(kQueue, bus_message("m1")));
  EXPECT_EQ(driver.publish(kQueue, bus_message("m2")).error().code, "overloaded");
  bus->consume(kQueue, 1, inbox.consumer());
  EXPECT_EQ(inbox.next().message.id, "m1");
}

TEST_F(NatsBus, AConsumerGoesOnAfterItsStreamWasPurged) {
  const NatsServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  driver.publish_all(kQueue, numbered("m", 5));
  Inbox inbox(loop_);
  bus->consume(kQueue, 2, inbox.consumer());
  const Delivery first = inbox.next();
  EXPECT_THAT(server.request("$JS.API.STREAM.PURGE." + kStream), HasSubstr("\"success\":true"));
  bus->acknowledge(first.tag);
  bus->requeue(inbox.next().tag);
  driver.publish_all(kQueue, {"later"});
  while (inbox.next().message.id != "later") continue;
  EXPECT_EQ(driver.depth(kQueue), 0u);
}

TEST_F(NatsBus, ConnectionsThatBreakLoseNothing) {
  const NatsServer server;
  ganglion::testing::Wire wire(loop_.context(), server.port());
  const auto bus = connect("nats://127.0.0.1:" + std::to_string(wire.port()));
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  std::set<std::string> seen;
  bus->consume(kQueue, 7, [&](const Delivery& delivery) {
    seen.insert(delivery.message.id);
    bus->acknowledge(delivery.tag);
  });
  const std::vector<std::string> ids = numbered("m", 200);
  std::size_t taken = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    bus->publish(kQueue, bus_message(ids[i]),
                 [&taken](const Result<void>& result) { taken += result ? 1 : 0; });
    if (i % 20 != 10) continue;
    loop_.run_until([&] { return taken + 10 > i; });
    wire.cut();
    wire.mend();
  }
  loop_.run_until([&] { return taken == ids.size() && seen.size() == ids.size(); });
}

// A worker that takes it and is silent, over the server's own API, until NATS gives the message up.
TEST_F(NatsBus, WhatIsGivenUpWhileNobodyListensIsADeadLetterLater) {
  const NatsServer server;
  {
    const auto bus = connect(server.url());
    BusDriver driver(loop_, *bus);
    ASSERT_TRUE(driver.declare(kQueue, {.max_length = 1, .max_deliveries = 1}));
    driver.publish_all(kQueue, {"poison"});
  }
  // ["ganglion-…"]
  const std::string answer = server.request("$JS.API.CONSUMER.NAMES." + kStream);
  const std::string_view names = member(answer, "consumers");
  const std::string next =
      "$JS.API.CONSUMER.MSG.NEXT." + kStream + '.' + std::string(names.substr(2, names.size() - 4));
  EXPECT_EQ(server.request(next, R"({"batch":1})"), bus_message("poison").body);
  constexpr std::chrono::nanoseconds kLonger = kLease + std::chrono::seconds(1);
  EXPECT_EQ(server.request(next, R"({"batch":1,"expires":)" + std::to_string(kLonger.count()) + "}"), "");

  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue, {.max_length = 1, .max_deliveries = 1}));
  EXPECT_THAT(driver.wait_for_dead_letters(kQueue, 1), ElementsAre("poison"));
  EXPECT_EQ(driver.dead_letters(kQueue)->front(), bus_message("poison"));
  while (!driver.publish(kQueue, bus_message("m1"))) continue;  // it has left the queue
}

// Together they are more than NATS lets a connection have before it.
TEST_F(NatsBus, ManyLargeMessagesComeThrough) {
  constexpr std::size_t kMessages = 24;
  const NatsServer server({.max_file_store = "256MB"});
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  BusMessage message = bus_message("m");
  message.body = std::string(kMaxBusMessage, 'x');
  for (std::size_t i = 0; i < kMessages; ++i) ASSERT_TRUE(driver.publish(kQueue, message));
  std::size_t got = 0;
  bus->consume(kQueue, 100, [&](const Delivery& delivery) {
    EXPECT_FALSE(delivery.redelivered);
    EXPECT_EQ(delivery.message.body.size(), kMaxBusMessage);
    bus->acknowledge(delivery.tag);
    ++got;
  });
  loop_.run_until([&] { return got == kMessages; });
}

TEST_F(NatsBus, ProcessesMayDeclareAQueueAtTheSameTime) {
  const NatsServer server;
  std::vector<std::unique_ptr<Bus>> buses;
  for (int i = 0; i < 5; ++i) buses.push_back(connect(server.url()));
  std::size_t declared = 0;
  for (const auto& bus : buses) {
    bus->declare(kQueue, {}, [&declared](const Result<void>& result) {
      EXPECT_TRUE(result) << result.error().message;
      ++declared;
    });
  }
  loop_.run_until([&] { return declared == buses.size(); });
  BusDriver driver(loop_, *buses.front());
  driver.publish_all(kQueue, {"m1"});
  Inbox inbox(loop_);
  buses.back()->consume(kQueue, 1, inbox.consumer());
  EXPECT_EQ(inbox.next().message.id, "m1");
}

TEST_F(NatsBus, AStreamOfAnotherKindIsNotTakenForAQueue) {
  const NatsServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  server.request("$JS.API.STREAM.CREATE." + kStream,
                 R"({"name":")" + kStream + R"(","subjects":["ganglion.queue.agent.coder"]})");
  EXPECT_EQ(driver.declare(kQueue).error().code, "queue_differs");
}

TEST_F(NatsBus, SaysWhatItCantPromise) {
  const NatsServer server({.max_payload = "1MB"});
  const auto bus = connect(server.url());
  EXPECT_THAT(bus->weaker_promises(), Contains(HasSubstr("max_payload")));
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  BusMessage message = bus_message("m");
  message.body = std::string(2 << 20, 'x');
  EXPECT_EQ(driver.publish(kQueue, message).error().code, "too_large");
  EXPECT_TRUE(driver.publish(kQueue, bus_message("m")));
}

TEST_F(NatsBus, AServerThatWontDoIsRefusedAtOnce) {
  const NatsServer secret({.lines = {"authorization { token: secret }"}});
  EXPECT_THAT(refusal(secret.url()).message, HasSubstr("Authorization Violation"));
  EXPECT_EQ(refusal("nats://secret@127.0.0.1:" + std::to_string(secret.port())), Error());
  const NatsServer plain({.max_file_store = ""});
  EXPECT_THAT(refusal(plain.url()).message, HasSubstr("without JetStream"));
  EXPECT_EQ(refusal("nats://a:0").code, "unknown_bus");
}

}  // namespace
}  // namespace ganglion::nats

// What only the Redis bus has to find out by itself; the rest is tests/contract.

#include "adapters/redis/bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "adapters/redis/testing/lossy_proxy.h"
#include "adapters/redis/testing/redis_fixture.h"
#include "contract/bus_driver.h"

namespace ganglion::redis {
namespace {

using ganglion::testing::bus_message;
using ganglion::testing::BusDriver;
using ganglion::testing::Inbox;
using ganglion::testing::numbered;
using ganglion::testing::RedisServer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RedisBus : public testing::RedisTest {
 protected:
  std::unique_ptr<Bus> connect(const std::string& url) {
    return Bus::open(loop_.context(), {.url = url}).value();
  }

  // The next entry of the queue as text, a line for each value, for a consumer that is no session.
  static std::string take_plainly(const RedisServer& server) {
    return server.command(
        {"XREADGROUP", "GROUP", "ganglion", "somebody", "COUNT", "1", "STREAMS", kStream, ">"});
  }
  // Its id, the second line.
  static std::string entry_of(const std::string& taken) {
    const std::size_t first = taken.find('\n') + 1;
    return taken.substr(first, taken.find('\n', first) - first);
  }

  inline static const std::string kStream = "{ganglion}:queue:queue";
};

TEST_F(RedisBus, WhatAConsumerThatHangsHasGoesToAnother) {
  const RedisServer server;
  const auto hanging = connect(server.url());
  const auto other = connect(server.url());
  BusDriver driver(loop_, *hanging);
  ASSERT_TRUE(driver.declare("queue", {.claim_after = std::chrono::milliseconds(300)}));
  driver.publish_all("queue", {"m1"});
  Inbox hung(loop_);
  hanging->consume("queue", 1, hung.consumer());
  const Delivery before = hung.next();
  Inbox inbox(loop_);
  other->consume("queue", 1, inbox.consumer());
  EXPECT_TRUE(inbox.next().redelivered);
  hanging->bury(before.tag, "too late");
  EXPECT_TRUE(driver.dead_letters("queue")->empty());
}

TEST_F(RedisBus, AnswersThatGetLostLoseNoMessages) {
  const RedisServer server;
  testing::LossyProxy proxy(loop_.context(), server.port());
  const auto bus = connect(proxy.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare("queue"));
  std::set<std::string> seen;
  bus->consume("queue", 7, [&](Delivery delivery) {
    seen.insert(delivery.message.id);
    bus->acknowledge(delivery.tag);
  });
  const std::vector<std::string> ids = numbered("m", 200);
  for (std::size_t first = 0; first < ids.size(); first += 20) {
    proxy.lose_an_answer(static_cast<int>(first / 20 % 5));
    driver.publish_all("queue", {ids.begin() + static_cast<std::ptrdiff_t>(first),
                                 ids.begin() + static_cast<std::ptrdiff_t>(first) + 20});
  }
  loop_.run_until([&] { return seen.size() == ids.size(); });
  EXPECT_GT(proxy.lost(), 0);
}

TEST_F(RedisBus, WhatAPlainConsumerHasStaysWithIt) {
  const RedisServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare("queue"));
  driver.publish_all("queue", {"m1"});
  EXPECT_THAT(take_plainly(server), HasSubstr("m1"));
  driver.publish_all("queue", {"m2"});
  {
    const auto mortal = connect(server.url());
    Inbox inbox(loop_);
    mortal->consume("queue", 1, inbox.consumer());
    EXPECT_EQ(inbox.next().message.id, "m2");
  }
  Inbox inbox(loop_);
  bus->consume("queue", 10, inbox.consumer());
  EXPECT_EQ(inbox.next().message.id, "m2");  // what the dead have was looked for
  EXPECT_EQ(inbox.size(), 0u);
  EXPECT_THAT(server.command({"XPENDING", kStream, "ganglion", "-", "+", "10", "somebody"}),
              HasSubstr("somebody"));
}

TEST_F(RedisBus, APlainConsumerKeepsWhatItSaysItWorksOn) {
  const RedisServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare("queue", {.claim_after = std::chrono::milliseconds(300)}));
  driver.publish_all("queue", {"m1"});
  const std::string entry = entry_of(take_plainly(server));
  driver.publish_all("queue", {"m2"});
  EXPECT_THAT(take_plainly(server), HasSubstr("m2"));
  Inbox inbox(loop_);
  bus->consume("queue", 10, inbox.consumer());
  loop_.run_until([&] {
    EXPECT_EQ(server.command({"XCLAIM", kStream, "ganglion", "somebody", "0", entry, "JUSTID"}), entry);
    return inbox.size() > 0;
  });
  EXPECT_EQ(inbox.next().message.id, "m2");  // of which it has said nothing
  EXPECT_EQ(inbox.size(), 0u);
}

TEST_F(RedisBus, WhatAPlainConsumerHasOnlyAcknowledgedWaitsNoMore) {
  const RedisServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare("queue"));
  driver.publish_all("queue", {"m1", "m2"});
  for (const std::string& id : {"m1", "m2"}) {
    const std::string taken = take_plainly(server);
    EXPECT_THAT(taken, HasSubstr(id));
    EXPECT_EQ(server.command({"XACK", kStream, "ganglion", entry_of(taken)}), "1");
  }
  driver.wait_for_depth("queue", 0);
}

TEST_F(RedisBus, AnEntryWithoutABodyIsBuried) {
  const RedisServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare("queue"));
  Inbox inbox(loop_);
  bus->consume("queue", 1, inbox.consumer());
  server.command({"XADD", kStream, "*", "id", "m1", "type", "t", "and", "more"});
  EXPECT_THAT(driver.wait_for_dead_letters("queue", 1), ElementsAre("m1"));
  EXPECT_THAT(server.command({"XRANGE", "{ganglion}:queue-dead:queue", "-", "+"}), HasSubstr("no body"));
  EXPECT_EQ(inbox.size(), 0u);
}

TEST_F(RedisBus, AStreamMayBeThereBeforeItsQueueAndBeDeletedUnderIt) {
  const RedisServer server;
  const auto bus = connect(server.url());
  BusDriver driver(loop_, *bus);
  server.command({"XADD", kStream, "*", "id", "m1", "body", "{}"});
  ASSERT_TRUE(driver.declare("queue"));
  Inbox inbox(loop_);
  bus->consume("queue", 1, inbox.consumer());
  const Delivery before = inbox.next();
  EXPECT_EQ(before.message.id, "m1");
  server.command({"DEL", kStream});
  bus->acknowledge(before.tag);
  driver.publish_all("queue", {"m2"});
  EXPECT_EQ(inbox.next().message.id, "m2");
}

TEST_F(RedisBus, SaysWhatItCantPromise) {
  const RedisServer server({.appendfsync = "everysec"});
  EXPECT_THAT(connect(server.url())->weaker_promises(), Contains(HasSubstr("appendfsync")));
}

TEST_F(RedisBus, AWrongUrlIsRefused) {
  const auto bus = Bus::open(loop_.context(), {.url = "redis://a:0"});
  ASSERT_FALSE(bus);
  EXPECT_EQ(bus.error().code, "unknown_bus");
}

}  // namespace
}  // namespace ganglion::redis

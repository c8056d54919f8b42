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
using ::testing::HasSubstr;

class RedisBus : public testing::RedisTest {
 protected:
  std::unique_ptr<Bus> connect(const std::string& url) {
    return Bus::open(loop_.context(), {.url = url}).value();
  }
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

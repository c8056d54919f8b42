#include "cluster/heartbeats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "agents/pool_fixture.h"
#include "cluster/messages.h"

namespace ganglion::cluster {
namespace {

using agents::token_of;

// `pool` is that of the member "there"; workers come to "here", whose own pool is empty.
class HeartbeatsTest : public agents::PoolTest {
 protected:
  HeartbeatsTest() {
    mail_here.start([](const Result<void>&) {});
    mail_there.start([](const Result<void>&) {});
    third.start([](const Result<void>&) {});
    clock.run();
  }
  // How it is answered: "goes on", "stops", "unknown", or the code of an error; empty before it is.
  std::string beat(std::uint32_t item) {
    std::string said;
    here.pass_on({.token = token_of(item), .worker = "w-1", .progress = 0.5, .details = Payload("[1]")},
                 [&said](Result<agents::HeartbeatReply> reply) {
                   if (!reply)
                     said = reply.error().code;
                   else if (!reply->known)
                     said = "unknown";
                   else
                     said = reply->cancelled ? "stops" : "goes on";
                 });
    clock.run();
    return said;
  }

  memory::Broker broker;
  memory::Bus bus_here{broker, clock};
  memory::Bus bus_there{broker, clock};
  memory::Bus bus_third{broker, clock};
  Mail mail_here{bus_here, clock, "here"};
  Mail mail_there{bus_there, clock, "there"};
  Mail third{bus_third, clock, "third"};
  agents::Pool empty{clock, [](const std::string&, const std::string&) { return nullptr; }, {}};
  std::vector<std::string> members{"there"};
  Heartbeats here{mail_here, empty, [this] { return members; }};
  Heartbeats there{mail_there, pool, [] { return std::vector<std::string>{"here"}; }};
};

TEST_F(HeartbeatsTest, WhoeverHasTheAttemptAnswers) {
  give(1);
  EXPECT_EQ(beat(1), "goes on");
  EXPECT_EQ(beat(2), "unknown");
  pool.withdraw(token_of(1));
  EXPECT_EQ(beat(1), "stops");
}

TEST_F(HeartbeatsTest, KeepAnAttemptWithAnIdleTimeoutAlive) {
  auto agent = *agents["worker"];
  agent.idle_timeout = Duration(1'000);
  agents["worker"] = std::make_shared<AgentDefinition>(agent);
  give(1);
  for (int i = 0; i < 10; ++i) {
    clock.advance(Duration(600));
    EXPECT_EQ(beat(1), "goes on");
  }
}

TEST_F(HeartbeatsTest, WithoutOthersNobodyHasIt) {
  members.clear();
  give(1);
  EXPECT_EQ(beat(1), "unknown");
}

TEST_F(HeartbeatsTest, OneThatDoesNotAnswerMayHaveIt) {
  members = {"third"};
  std::string said;
  here.pass_on({.token = token_of(1)}, [&said](const Result<agents::HeartbeatReply>& reply) {
    said = reply ? "" : reply.error().code;
  });
  clock.advance(Duration(2'000));
  EXPECT_EQ(said, "unavailable");
}

TEST_F(HeartbeatsTest, TheOneThatHadItIsAskedAloneAndAllOfThemWhenItHasItNoMore) {
  int asked = 0;
  memory::Bus bus_fourth(broker, clock);
  Mail fourth(bus_fourth, clock, "fourth");
  fourth.on(kHeartbeatType, [&asked](const std::string&, const std::string&, Mail::Reply reply) {
    ++asked;
    reply(heartbeat_reply_message({}));
  });
  fourth.start([](const Result<void>&) {});
  clock.run();
  members = {"fourth", "there"};
  give(1);
  EXPECT_EQ(beat(1), "goes on");
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(beat(1), "goes on");
  EXPECT_EQ(asked, 1);
  reports.automatic = Verdict::accepted;
  pool.complete(success(1), [](const Result<Verdict>&) {});
  clock.run();
  EXPECT_EQ(beat(1), "unknown");
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace ganglion::cluster

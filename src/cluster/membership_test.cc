#include "cluster/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::cluster {
namespace {

using ::testing::ElementsAre;

class MembershipTest : public ::testing::Test {
 protected:
  struct Process {
    Process(memory::Broker& broker, Clock& clock, const std::string& id)
        : bus(broker, clock), membership(bus, clock, {.id = id, .coordinates = true}) {
      membership.on_change([this](const Membership::Change& change) {
        for (const Member& member : change.joined) story.push_back("+" + member.id);
        for (const Member& member : change.left) story.push_back("-" + member.id);
      });
    }
    std::vector<std::string> live() const {
      std::vector<std::string> ids;
      for (const Member& member : membership.live()) ids.push_back(member.id);
      return ids;
    }

    memory::Bus bus;
    Membership membership;
    std::vector<std::string> story;
  };

  Process& start(const std::string& id) {
    processes_.push_back(std::make_unique<Process>(broker_, clock_, id));
    bool joined = false;
    processes_.back()->membership.start([&](const Result<void>& result) { joined = result.has_value(); });
    clock_.advance(MembershipOptions().first_look);
    EXPECT_TRUE(joined);
    return *processes_.back();
  }
  void kill(const Process& process) {
    std::erase_if(processes_, [&](const auto& running) { return running.get() == &process; });
  }

  memory::Broker broker_;
  testing::VirtualClock clock_;
  std::vector<std::unique_ptr<Process>> processes_;
};

TEST_F(MembershipTest, KnowsWhoWasThereBefore) {
  Process& first = start("A");
  const Process& second = start("B");
  EXPECT_THAT(first.live(), ElementsAre("A", "B"));
  EXPECT_THAT(second.live(), ElementsAre("A", "B"));
  EXPECT_THAT(first.story, ElementsAre("+B"));
}

TEST_F(MembershipTest, WhoeverIsKilledIsGoneAfterItsSilenceAndNotBefore) {
  Process& first = start("A");
  kill(start("B"));
  clock_.advance(Duration(900));
  EXPECT_THAT(first.live(), ElementsAre("A", "B"));
  clock_.advance(Duration(600));
  EXPECT_THAT(first.live(), ElementsAre("A"));
  EXPECT_THAT(first.story, ElementsAre("+B", "-B"));
}

TEST_F(MembershipTest, WhoeverSaysGoodbyeIsGoneAtOnce) {
  Process& first = start("A");
  start("B").membership.leave();
  clock_.run();
  EXPECT_THAT(first.live(), ElementsAre("A"));
  clock_.advance(Duration(5'000));
  EXPECT_THAT(first.live(), ElementsAre("A"));
}

TEST_F(MembershipTest, ADeafMemberKeepsItsViewWhileTheOthersMissIt) {
  Process& first = start("A");
  Process& second = start("B");
  first.bus.cut();
  clock_.advance(Duration(60'000));
  EXPECT_THAT(first.live(), ElementsAre("A", "B"));
  EXPECT_THAT(second.live(), ElementsAre("B"));
  first.bus.mend();
  clock_.advance(Duration(1'000));
  EXPECT_THAT(first.story, ElementsAre("+B"));
  EXPECT_THAT(second.live(), ElementsAre("A", "B"));
}

TEST_F(MembershipTest, WhatAMemberTakesIsToldWithoutAComingOrGoing) {
  Process& first = start("A");
  start("B").membership.takes({"scan"});
  clock_.run();
  EXPECT_THAT(first.membership.live().back().takes, ElementsAre("scan"));
  EXPECT_THAT(first.story, ElementsAre("+B"));
}

TEST_F(MembershipTest, WhatNoMemberSaysIsIgnored) {
  Process& first = start("A");
  for (const char* body : {"", "{}", "[]", R"({"member":""})", R"({"member":7,"says":"here"})", "\xff"}) {
    first.bus.broadcast("members", {.id = {}, .type = "ganglion.presence.v1", .reply_to = {}, .body = body});
  }
  first.bus.broadcast(
      "members",
      {.id = {}, .type = "ganglion.presence.v2", .reply_to = {}, .body = R"({"member":"X","says":"here"})"});
  clock_.advance(Duration(1'000));
  EXPECT_THAT(first.live(), ElementsAre("A"));
}

}  // namespace
}  // namespace ganglion::cluster

#include "cluster/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::cluster {
namespace {

class MailTest : public ::testing::Test {
 protected:
  MailTest() {
    there.on("sum", [this](const std::string& from, const std::string& body, Mail::Reply reply) {
      EXPECT_EQ(from, "here");
      ++dealt_with;
      if (body != "silence") reply(body + "!");
    });
    here.start([](const Result<void>&) {});
    there.start([](const Result<void>&) {});
    clock.run();
  }
  void ask(const std::string& body) {
    here.ask("there", "sum", body, [this](Result<std::string> answer) {
      answers.push_back(answer ? *answer : answer.error().code);
    });
    clock.run();
  }

  testing::VirtualClock clock;
  memory::Broker broker;
  memory::Bus bus_here{broker, clock};
  memory::Bus bus_there{broker, clock};
  Mail here{bus_here, clock, "here"};
  Mail there{bus_there, clock, "there"};
  int dealt_with = 0;
  std::vector<std::string> answers;
};

TEST_F(MailTest, AQuestionIsAnsweredAtOnce) {
  ask("1");
  EXPECT_THAT(answers, ::testing::ElementsAre("1!"));
}

TEST_F(MailTest, AQuestionThatWasLostIsAskedAgain) {
  bus_there.cut();
  ask("1");
  bus_there.mend();
  clock.advance(Duration(500));
  EXPECT_THAT(answers, ::testing::ElementsAre("1!"));
}

TEST_F(MailTest, AnAnswerThatWasLostIsRepeatedAndTheQuestionDealtWithOnce) {
  bus_here.cut();
  ask("1");
  clock.advance(Duration(300));
  bus_here.mend();
  clock.advance(Duration(1'000));
  EXPECT_THAT(answers, ::testing::ElementsAre("1!"));
  EXPECT_EQ(dealt_with, 1);
}

TEST_F(MailTest, WhoeverDoesNotAnswerInTimeIsUnavailable) {
  ask("silence");
  clock.advance(Duration(1'999));
  EXPECT_THAT(answers, ::testing::IsEmpty());
  clock.advance(Duration(1));
  EXPECT_THAT(answers, ::testing::ElementsAre("unavailable"));
  EXPECT_EQ(dealt_with, 1);
}

TEST_F(MailTest, NobodyWaitsForAMemberThatHasGone) {
  ask("silence");
  here.gone("there");
  EXPECT_THAT(answers, ::testing::ElementsAre("unavailable"));
}

// A message may come twice, and late.
TEST_F(MailTest, AQuestionThatNobodyWaitsForAnyMoreIsNotDealtWithAgain) {
  const auto send = [this](const char* id) {
    bus_here.broadcast("member.there", {.id = id, .type = "sum", .reply_to = "here", .body = id});
    clock.run();
  };
  for (const char* id : {"7.7", "8.7", "8.7", "9.9", "7.7", "8.7"}) send(id);
  EXPECT_EQ(dealt_with, 3);
}

// As an older member asks.
TEST_F(MailTest, AQuestionMayLackTheNumberFromWhichOnAnswersAreWaitedFor) {
  bus_here.broadcast("member.there", {.id = "1", .type = "sum", .reply_to = "here", .body = "1"});
  bus_here.broadcast("member.there", {.id = "1", .type = "sum", .reply_to = "here", .body = "1"});
  clock.run();
  EXPECT_EQ(dealt_with, 1);
}

}  // namespace
}  // namespace ganglion::cluster

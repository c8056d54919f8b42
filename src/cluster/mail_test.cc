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

}  // namespace
}  // namespace ganglion::cluster

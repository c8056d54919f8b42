#include "adapters/kafka/ledger.h"

#include <gmock/gmock.h>

namespace ganglion::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::string kQueue = "agent:coder";

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    say("a", {word::Hello{}});
    say("b", {word::Hello{}});
    say("a", {word::Declare{kQueue, 0, {}}});
  }

  std::vector<Change> say(const SessionId& session, std::vector<Word> words) {
    return ledger_.apply(next_++, {.session = session, .number = 0, .words = std::move(words)});
  }
  Offset made() const { return ledger_.queue(kQueue)->made; }
  std::vector<Change> want(const SessionId& session, std::uint32_t count) {
    return say(session, {word::Want{kQueue, made(), count}});
  }
  std::map<SessionId, std::vector<Span>> places() const { return ledger_.queue(kQueue)->places; }

  Ledger ledger_;
  Offset next_ = 0;
};

TEST_F(LedgerTest, GivesPlacesInTheOrderInWhichTheyAreWanted) {
  want("a", 2);
  const auto changes = want("b", 3);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(std::get<Granted>(changes[0]).span, (Span{{2, 4}, 0}));
  want("a", 1);
  EXPECT_THAT(places(), UnorderedElementsAre(Pair("a", ElementsAre(Span{{0, 1}}, Span{{5, 5}})),
                                             Pair("b", ElementsAre(Span{{2, 4}}))));
}

TEST_F(LedgerTest, APlaceIsItsOwnersUntilItIsDone) {
  want("a", 6);
  say("b", {word::Done{kQueue, made(), {{0, 5}}}});  // not its own
  EXPECT_EQ(ledger_.queue(kQueue)->first_undone(), 0);
  say("a", {word::Done{kQueue, made(), {{0, 0}, {2, 3}}}});
  EXPECT_THAT(places(), ElementsAre(Pair("a", ElementsAre(Span{{1, 1}}, Span{{4, 5}}))));
  EXPECT_EQ(ledger_.queue(kQueue)->first_undone(), 1);
  say("a", {word::Done{kQueue, made(), {{1, 9}}}});
  EXPECT_TRUE(places().empty());
  EXPECT_EQ(ledger_.queue(kQueue)->first_undone(), 6);
}

TEST_F(LedgerTest, WhatOneHadThatEndedIsItsFirstHeirs) {
  want("a", 3);
  say("a", {word::Done{kQueue, made(), {{0, 0}}}, word::Leave{}});
  const auto changes = say("b", {word::Inherit{"a"}});
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(std::get<Granted>(changes[1]).span, (Span{{1, 2}, 1}));
  say("c", {word::Hello{}});
  EXPECT_TRUE(say("c", {word::Inherit{"a"}}).empty());
  EXPECT_THAT(places(), ElementsAre(Pair("b", ElementsAre(Span{{1, 2}, 1}))));
  EXPECT_EQ(ledger_.oldest(), "b");
}

TEST_F(LedgerTest, OneThatHasEndedSaysNothing) {
  want("a", 3);
  say("b", {word::Inherit{"a"}});
  say("a", {word::Done{kQueue, made(), {{0, 2}}}, word::Want{kQueue, made(), 5}});
  EXPECT_TRUE(say("stranger", {word::Remove{kQueue, made()}}).empty());
  EXPECT_THAT(places(), ElementsAre(Pair("b", ElementsAre(Span{{0, 2}, 1}))));
}

TEST_F(LedgerTest, WhatIsSaidOfAQueueMeansNoOtherOfThatName) {
  const Offset before = made();
  want("a", 3);
  say("b", {word::Remove{kQueue, before}});
  EXPECT_EQ(ledger_.queue(kQueue), nullptr);
  EXPECT_TRUE(say("b", {word::Declare{kQueue, 0, {}}}).empty());  // its topics are still there
  say("b", {word::Remove{kQueue, before}, word::Declare{kQueue, 0, {}}});
  say("a",
      {word::Want{kQueue, before, 5}, word::Done{kQueue, before, {{0, 2}}}, word::Remove{kQueue, before}});
  EXPECT_EQ(ledger_.queue(kQueue)->next, 0);
  say("b", {word::Declare{kQueue, 7, {.max_length = 1}}});  // other options
  EXPECT_EQ(ledger_.queue(kQueue)->next, 0);
  EXPECT_EQ(ledger_.queue(kQueue)->options.max_length, 1u);
}

TEST_F(LedgerTest, IsReadAsItWasWritten) {
  want("a", 3);
  say("b", {word::Inherit{"a"}, word::Want{kQueue, made(), 2}});
  say("c", {word::Hello{}, word::Declare{"other", 0, {}}, word::Leave{}});
  say("b", {word::Remove{"other", next_ - 1}});
  const auto read = Ledger::read(ledger_.text(41));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first, 41);
  EXPECT_EQ(read->second, ledger_);
  EXPECT_FALSE(Ledger::read("ganglion-ledger 1 5\nplaces a 1"));
  EXPECT_FALSE(Ledger::read("ganglion 1 a 5"));
}

}  // namespace
}  // namespace ganglion::kafka

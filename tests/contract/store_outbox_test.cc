// What the outbox promises: a run is in it from the commit that makes its journal grow until that is copied.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr Duration kNoLease{0};

class Outbox : public StoreContract {
 protected:
  void turn_on() { ASSERT_TRUE(driver_.turn_outbox_on()); }
  // By the store's own clock.
  void wait_for_another_millisecond() {
    bool over = false;
    loop_.clock().at(loop_.clock().now() + Duration(2), [&] { over = true; });
    loop_.run_until([&] { return over; });
  }
};

INSTANTIATE_TEST_SUITE_P(Adapters, Outbox, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

std::vector<std::uint64_t> seqs_of(const JournalGrowth& growth) {
  std::vector<std::uint64_t> seqs;
  for (const JournalEntry& entry : growth.entries) seqs.push_back(entry.seq);
  return seqs;
}

TEST_P(Outbox, IsEmptyUntilItIsTurnedOn) {
  started(1);
  EXPECT_THAT(driver_.take_from_outbox(), IsEmpty());
  turn_on();
  EXPECT_EQ(driver_.count_outbox(), 0u) << "what is there already has to be put in";
}

TEST_P(Outbox, EveryCommitPutsItsRunInOnce) {
  const RunId before = started(1);
  turn_on();
  turn_on();
  const RunId created = started(2);
  const RunId fork = run_number(3);
  EXPECT_TRUE(is_committed(driver_.commit(append_to(created, 1))));
  EXPECT_TRUE(is_committed(driver_.commit(end_of(created, 2))));
  EXPECT_TRUE(is_committed(driver_.commit(fork_of(before, 1, fork))));
  EXPECT_THAT(driver_.take_from_outbox(), UnorderedElementsAre(created, fork));
}

TEST_P(Outbox, ACommitThatIsRefusedPutsNothingIn) {
  const RunId run = started(1);
  turn_on();
  EXPECT_FALSE(is_committed(driver_.commit(append_to(run, 7))));
  EXPECT_FALSE(is_committed(driver_.commit(start_of(run))));
  EXPECT_FALSE(is_committed(driver_.commit(fork_of(run, 9, run_number(2)))));
  EXPECT_EQ(driver_.count_outbox(), 0u);
}

TEST_P(Outbox, ThoseThatHaveWaitedLongestAreTakenFirst) {
  turn_on();
  const RunId first = started(1), second = started(2), third = started(3);
  EXPECT_TRUE(is_committed(driver_.commit(append_to(first, 1)))) << "keeps its place";
  EXPECT_THAT(driver_.take_from_outbox(2), UnorderedElementsAre(first, second));
  EXPECT_THAT(driver_.take_from_outbox(2), ElementsAre(third));
  EXPECT_THAT(driver_.take_from_outbox(2), IsEmpty());
}

TEST_P(Outbox, ARunIsGivenOutAgainWhenItsLeaseIsOver) {
  turn_on();
  const RunId run = started(1);
  EXPECT_THAT(driver_.take_from_outbox(10, kNoLease), ElementsAre(run));
  EXPECT_THAT(driver_.take_from_outbox(10, Duration(1)), ElementsAre(run));
  while (driver_.take_from_outbox(10).empty()) wait_for_another_millisecond();
  EXPECT_TRUE(is_committed(driver_.commit(append_to(run, 1)))) << "doesn't end the lease";
  EXPECT_THAT(driver_.take_from_outbox(10), IsEmpty());
  EXPECT_EQ(driver_.count_outbox(), 1u);
}

TEST_P(Outbox, ARunThatIsCopiedLeaves) {
  turn_on();
  const RunId taken = started(1), waiting = started(2), fork = run_number(3);
  EXPECT_TRUE(is_committed(driver_.commit(fork_of(taken, 1, fork))));
  EXPECT_THAT(driver_.take_from_outbox(1), ElementsAre(taken));
  EXPECT_TRUE(driver_.settle_outbox({{taken, 1}, {waiting, 99}, {fork, 2}, {run_number(9), 1}}));
  EXPECT_EQ(driver_.count_outbox(), 0u);
  EXPECT_TRUE(is_committed(driver_.commit(append_to(taken, 1))));
  EXPECT_THAT(driver_.take_from_outbox(), ElementsAre(taken));
}

TEST_P(Outbox, ARunThatWentOnMeanwhileIsDueAtOnceBehindTheOthers) {
  turn_on();
  const RunId gone_on = started(1);
  EXPECT_THAT(driver_.take_from_outbox(), ElementsAre(gone_on));
  EXPECT_TRUE(is_committed(driver_.commit(append_to(gone_on, 1))));
  const RunId waiting = started(2);
  wait_for_another_millisecond();
  EXPECT_TRUE(driver_.settle_outbox({{gone_on, 1}}));
  EXPECT_THAT(driver_.take_from_outbox(1), ElementsAre(waiting));
  EXPECT_THAT(driver_.take_from_outbox(1), ElementsAre(gone_on));
}

TEST_P(Outbox, RunsCanBePutIn) {
  const RunId old = started(1);
  turn_on();
  const RunId waiting = started(2);
  EXPECT_TRUE(driver_.put_into_outbox({waiting, old, run_number(9), old}));
  EXPECT_EQ(driver_.count_outbox(), 2u);
  EXPECT_THAT(driver_.take_from_outbox(), UnorderedElementsAre(old, waiting));
  EXPECT_TRUE(driver_.put_into_outbox({old}));
  EXPECT_THAT(driver_.take_from_outbox(), IsEmpty()) << "it is in, and taken";
}

TEST_P(Outbox, GrowthIsWhatAJournalHasBehindAPosition) {
  const RunId run = run_number(1), other = run_number(2), fork = run_number(3);
  EXPECT_TRUE(is_committed(driver_.commit(start_of(run, 4))));
  EXPECT_TRUE(is_committed(driver_.commit(start_of(other, 2))));
  EXPECT_TRUE(is_committed(driver_.commit(end_of(other, 2))));
  EXPECT_TRUE(is_committed(driver_.commit(fork_of(run, 3, fork))));
  const auto growth = driver_.read_growth({{fork, 1}, {run_number(9), 0}, {run, 0}, {other, 3}});
  ASSERT_THAT(growth, SizeIs(3));
  EXPECT_EQ(growth[0].record, driver_.find_run(fork).value());
  EXPECT_EQ(growth[0].entries, driver_.read_journal(fork, 1).value());
  EXPECT_EQ(growth[1].record, driver_.find_run(run).value());
  EXPECT_EQ(growth[1].entries, driver_.read_journal(run).value());
  EXPECT_EQ(growth[2].record, driver_.find_run(other).value());
  EXPECT_THAT(growth[2].entries, IsEmpty());
  EXPECT_THAT(driver_.read_growth({}), IsEmpty());
}

TEST_P(Outbox, GrowthIsReadPieceByPieceWhereThereIsMuchOfIt) {
  constexpr std::uint64_t kEntries = 700;
  const RunId large = run_number(1), small = run_number(2);
  Commit start = start_of(large, kEntries);
  for (JournalEntry& entry : start.events) entry.data = '"' + unlike_text(20'000, entry.seq) + '"';
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_TRUE(is_committed(driver_.commit(start_of(small))));
  std::uint64_t copied = 0;
  while (copied < kEntries) {
    const auto growth = driver_.read_growth({{large, copied}, {small, 0}});
    ASSERT_FALSE(growth.empty());
    ASSERT_FALSE(growth[0].entries.empty());
    ASSERT_LE(growth[0].entries.size(), 300u) << "some 4 MiB";
    for (const std::uint64_t seq : seqs_of(growth[0])) ASSERT_EQ(seq, ++copied);
  }
  EXPECT_EQ(copied, kEntries);
}

TEST_P(Outbox, GrowthEndsWithTheEntryThatMakesItLargeAndRunsBehindAreLeftOut) {
  const RunId large = run_number(1), copied = run_number(2);
  Commit start = start_of(large, 10);
  for (JournalEntry& entry : start.events)
    entry.data = '"' + unlike_text(kMaxGrowthBytes / 4, entry.seq) + '"';
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_TRUE(is_committed(driver_.commit(start_of(copied))));
  const auto growth = driver_.read_growth({{large, 0}, {copied, 1}});
  ASSERT_THAT(growth, SizeIs(1));
  EXPECT_THAT(growth[0].entries, SizeIs(4));
  EXPECT_THAT(driver_.read_growth({{copied, 1}, {large, 9}}), SizeIs(2));
}

}  // namespace
}  // namespace ganglion::testing

// What a fork promises: it begins with another run's journal, which it neither copies nor changes.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::VariantWith;

// A run's entries as "seq data".
std::vector<std::string> entries(const Result<std::vector<JournalEntry>>& journal) {
  std::vector<std::string> entries;
  for (const JournalEntry& entry : journal.value())
    entries.push_back(std::to_string(entry.seq) + " " + entry.data);
  return entries;
}

class Forks : public StoreContract {
 protected:
  // A run with entries 1 … `count` whose data names the run.
  RunId grown(std::uint64_t number, std::uint64_t count, const std::string& data) {
    Commit start = start_of(run_number(number), count);
    for (JournalEntry& event : start.events) event.data = data;
    EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
    return run_number(number);
  }

  RunId forked(const RunId& source, std::uint64_t seq, std::uint64_t number, const std::string& data) {
    Commit fork = fork_of(source, seq, run_number(number));
    fork.events[0].data = data;
    EXPECT_TRUE(is_committed(driver_.commit(std::move(fork))));
    return run_number(number);
  }
};

INSTANTIATE_TEST_SUITE_P(Adapters, Forks, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Forks, AForkBeginsWithTheSharedEntriesAndGoesOnByItself) {
  const RunId source = grown(1, 5, "s");
  const RunId fork = forked(source, 3, 2, "f");
  EXPECT_TRUE(is_committed(driver_.commit(append_to(fork, 4, "f"))));
  EXPECT_TRUE(is_committed(driver_.commit(append_to(source, 5, "s"))));
  EXPECT_THAT(entries(driver_.read_journal(fork)), ElementsAre("1 s", "2 s", "3 s", "4 f", "5 f"));
  EXPECT_THAT(entries(driver_.read_journal(source)), ElementsAre("1 s", "2 s", "3 s", "4 s", "5 s", "6 s"));
}

TEST_P(Forks, ASharedJournalIsReadInPagesAcrossTheFork) {
  const RunId fork = forked(grown(1, 5, "s"), 3, 2, "f");
  EXPECT_TRUE(is_committed(driver_.commit(append_to(fork, 4, "f"))));
  EXPECT_THAT(entries(driver_.read_journal(fork, 0, 2)), ElementsAre("1 s", "2 s"));
  EXPECT_THAT(entries(driver_.read_journal(fork, 2, 2)), ElementsAre("3 s", "4 f"));
  EXPECT_THAT(entries(driver_.read_journal(fork, 3, 1)), ElementsAre("4 f"));
  EXPECT_THAT(entries(driver_.read_journal(fork, 4, 10)), ElementsAre("5 f"));
  EXPECT_THAT(driver_.read_journal(fork, 5, 10).value(), IsEmpty());
  EXPECT_THAT(driver_.read_journal(fork, 0, 0).value(), IsEmpty());
}

TEST_P(Forks, AForkOfAForkReadsThroughBothWhereverItBegins) {
  const RunId first = grown(1, 4, "a");
  const RunId second = forked(first, 2, 2, "b");
  EXPECT_TRUE(is_committed(driver_.commit(append_to(second, 3, "b"))));
  const RunId behind = forked(second, 4, 3, "c");
  const RunId at_the_fork = forked(second, 2, 4, "d");
  const RunId before_the_fork = forked(second, 1, 5, "e");
  const RunId third = forked(behind, 3, 6, "f");
  EXPECT_THAT(entries(driver_.read_journal(behind)), ElementsAre("1 a", "2 a", "3 b", "4 b", "5 c"));
  EXPECT_THAT(entries(driver_.read_journal(at_the_fork)), ElementsAre("1 a", "2 a", "3 d"));
  EXPECT_THAT(entries(driver_.read_journal(before_the_fork)), ElementsAre("1 a", "2 e"));
  EXPECT_THAT(entries(driver_.read_journal(third)), ElementsAre("1 a", "2 a", "3 b", "4 f"));
}

TEST_P(Forks, AForkThatIsOpenComesWithItsWholeJournal) {
  const RunId source = grown(1, 3, "s");
  EXPECT_TRUE(is_committed(driver_.commit(end_of(source, 3))));
  const RunId fork = forked(source, 2, 2, "f");
  const std::vector<OpenRun> open = driver_.read_open_runs();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].record.id, fork);
  EXPECT_EQ(open[0].journal, driver_.read_journal(fork).value());
  EXPECT_EQ(open[0].journal.size(), 3u);
}

TEST_P(Forks, CommitsGoOnAtTheForksOwnVersion) {
  const RunId fork = forked(grown(1, 5, "s"), 3, 2, "f");
  EXPECT_THAT(driver_.commit(append_to(fork, 3)),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 4u)));
  EXPECT_TRUE(is_committed(driver_.commit(append_to(fork, 4))));
}

TEST_P(Forks, AForkOfARunThatExistsIsAConflict) {
  const RunId source = grown(1, 5, "s");
  const RunId other = grown(2, 3, "o");
  EXPECT_THAT(driver_.commit(fork_of(source, 3, other)),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 3u)));
  EXPECT_THAT(entries(driver_.read_journal(other)), ElementsAre("1 o", "2 o", "3 o"));
}

TEST_P(Forks, AForkBehindTheEndOfItsSourceIsAConflictAtThatEnd) {
  const RunId source = grown(1, 2, "s");
  EXPECT_THAT(driver_.commit(fork_of(source, 3, run_number(2))),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 2u)));
  EXPECT_THAT(driver_.commit(fork_of(run_number(9), 1, run_number(2))),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 0u)));
  EXPECT_EQ(driver_.find_run(run_number(2)).error().code, "not_found");
}

TEST_P(Forks, LargeSharedEntriesComeBackAsTheyWere) {
  std::string data = "\"";
  for (int i = 0; i < 5000; ++i) data += "word " + std::to_string(i) + ' ';
  data += '"';
  const RunId fork = forked(grown(1, 2, data), 2, 2, data);
  for (const JournalEntry& entry : driver_.read_journal(fork).value()) EXPECT_EQ(entry.data, data);
}

}  // namespace
}  // namespace ganglion::testing

// What reads promise.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RunQuery page(std::uint32_t limit, std::optional<RunId> before = {}) {
  RunQuery query;
  query.before = std::move(before);
  query.limit = limit;
  return query;
}

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  EXPECT_EQ(driver_.read_journal(run_number(1)).error().code, "not_found");
  EXPECT_EQ(driver_.find_run(run_number(1)).error().code, "not_found");
  EXPECT_THAT(driver_.list_runs({}), IsEmpty());
  EXPECT_THAT(driver_.read_open_runs(), IsEmpty());
  EXPECT_EQ(driver_.get_definition("d1").error().code, "not_found");
  EXPECT_EQ(driver_.get_setting("project").error().code, "not_found");
  EXPECT_EQ(driver_.last_time(), Timestamp());
}

TEST_P(StoreContract, AJournalIsReadInPages) {
  const RunId run = run_number(1);
  EXPECT_TRUE(is_committed(driver_.commit(start_of(run, 10))));
  const auto seqs = [&](std::uint64_t after, std::uint32_t limit) {
    std::vector<std::uint64_t> seqs;
    for (const JournalEntry& entry : driver_.read_journal(run, after, limit).value())
      seqs.push_back(entry.seq);
    return seqs;
  };
  EXPECT_THAT(seqs(0, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(seqs(3, 3), ElementsAre(4, 5, 6));
  EXPECT_THAT(seqs(8, 100), ElementsAre(9, 10));
  EXPECT_THAT(seqs(10, 100), IsEmpty());
  EXPECT_THAT(seqs(UINT64_MAX, 100), IsEmpty());
  EXPECT_THAT(seqs(0, 0), IsEmpty());
}

TEST_P(StoreContract, JournalsOfRunsThatGrowTogetherStayApart) {
  for (std::uint64_t n = 1; n <= 5; ++n) started(n);
  for (std::uint64_t version = 1; version <= 4; ++version) {
    for (std::uint64_t n = 1; n <= 5; ++n) {
      EXPECT_TRUE(is_committed(driver_.commit(append_to(run_number(n), version, std::to_string(n)))));
    }
  }
  for (std::uint64_t n = 1; n <= 5; ++n) {
    const auto journal = driver_.read_journal(run_number(n), 1).value();
    ASSERT_EQ(journal.size(), 4u);
    for (const JournalEntry& entry : journal) EXPECT_EQ(entry.data, std::to_string(n));
  }
}

TEST_P(StoreContract, ARecordComesBackAsItWas) {
  Commit start = start_of(run_number(1));
  start.create->session_id = "case 7";
  start.create->labels = {{"", "empty name"}, {"quote\"s", "back\\slash\n"}, {"täg", "漢字 😀"}};
  const RunRecord record = *start.create;
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_EQ(driver_.find_run(record.id).value(), record);
}

TEST_P(StoreContract, OpenRunsComeOldestFirstInPagesWithTheirJournals) {
  for (const std::uint64_t n : {3, 1, 5, 2, 4}) started(n);
  EXPECT_TRUE(is_committed(driver_.commit(append_to(run_number(2), 1))));
  EXPECT_TRUE(is_committed(driver_.commit(end_of(run_number(4), 1))));

  const std::vector<OpenRun> first = driver_.read_open_runs({}, 2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].record, record_of(run_number(1)));
  EXPECT_EQ(first[0].journal, driver_.read_journal(run_number(1)).value());
  EXPECT_EQ(first[1].record.id, run_number(2));
  EXPECT_EQ(first[1].journal.size(), 2u);

  const std::vector<OpenRun> second = driver_.read_open_runs(run_number(2), 2);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].record.id, run_number(3));
  EXPECT_EQ(second[1].record.id, run_number(5));
  EXPECT_THAT(driver_.read_open_runs(run_number(5), 2), IsEmpty());
}

TEST_P(StoreContract, OpenRunsWithLargeJournalsAllComeInSomePage) {
  const std::string data(1 << 20, 'x');
  for (std::uint64_t n = 1; n <= 12; ++n) {
    Commit start = start_of(run_number(n));
    start.events[0].data = '"' + data + '"';
    EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  }
  std::vector<RunId> seen;
  for (;;) {
    const std::vector<OpenRun> page =
        driver_.read_open_runs(seen.empty() ? std::nullopt : std::optional(seen.back()), 100);
    if (page.empty()) break;
    for (const OpenRun& run : page) seen.push_back(run.record.id);
  }
  ASSERT_EQ(seen.size(), 12u);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST_P(StoreContract, ARetryOpensAnEndedRunAgain) {
  const RunId run = started(1);
  EXPECT_TRUE(is_committed(driver_.commit(end_of(run, 1, "failed"))));
  EXPECT_THAT(driver_.read_open_runs(), IsEmpty());

  Commit retry = append_to(run, 2);
  retry.status = StatusChange{"running", std::nullopt};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(retry))));
  ASSERT_EQ(driver_.read_open_runs().size(), 1u);
  EXPECT_EQ(driver_.find_run(run).value().ended_at, std::nullopt);
  EXPECT_EQ(driver_.find_run(run).value().status, "running");
}

TEST_P(StoreContract, RunsAreListedNewestFirstBelowTheCursor) {
  for (const std::uint64_t n : {2, 4, 1, 3}) started(n);
  EXPECT_THAT(driver_.list_runs({}), ElementsAre(run_number(4), run_number(3), run_number(2), run_number(1)));
  EXPECT_THAT(driver_.list_runs(page(3)), ElementsAre(run_number(4), run_number(3), run_number(2)));
  EXPECT_THAT(driver_.list_runs(page(1, run_number(3))), ElementsAre(run_number(2)));
  EXPECT_THAT(driver_.list_runs(page(50, run_number(1))), IsEmpty());
  EXPECT_THAT(driver_.list_runs(page(0)), IsEmpty());
}

// Given runs 1 … 24 whose properties follow from their number, every combination of filters finds the same
// runs as a scan.
TEST_P(StoreContract, FiltersFindExactlyTheRunsThatMatchAllOfThem) {
  std::vector<RunRecord> records;
  for (std::uint64_t n = 1; n <= 24; ++n) {
    Commit start = start_of(run_number(n));
    start.create->workflow = n % 2 == 0 ? "even" : "odd";
    if (n % 3 == 0) start.create->session_id = "third";
    if (n % 4 == 0) start.create->labels["team"] = "blue";
    if (n % 5 == 0) start.create->labels = {{"team", "red"}, {"tier", "1"}};
    start.status = StatusChange{n % 6 < 3 ? "completed" : "running", std::nullopt};
    records.push_back(*start.create);
    records.back().status = start.status->status;
    EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  }
  std::vector<std::map<std::string, std::string>> label_filters = {{},
                                                                   {{"team", "blue"}},
                                                                   {{"team", "red"}, {"tier", "1"}},
                                                                   {{"team", "blue"}, {"tier", "1"}},
                                                                   {{"tier", "2"}}};
  int nonempty = 0;
  for (int mask = 0; mask < 8; ++mask) {
    for (const auto& labels : label_filters) {
      RunQuery query;
      query.labels = labels;
      if (mask & 1) query.workflow = "even";
      if (mask & 2) query.status = "completed";
      if (mask & 4) query.session_id = "third";
      std::vector<RunId> expected;
      for (auto record = records.rbegin(); record != records.rend(); ++record) {
        const bool labelled = std::ranges::all_of(labels, [&](const auto& label) {
          return record->labels.contains(label.first) && record->labels.at(label.first) == label.second;
        });
        if (labelled && (!query.workflow || record->workflow == "even") &&
            (!query.status || record->status == "completed") &&
            (!query.session_id || record->session_id == "third")) {
          expected.push_back(record->id);
        }
      }
      nonempty += expected.empty() ? 0 : 1;
      EXPECT_EQ(driver_.list_runs(query), expected) << "mask " << mask;
    }
  }
  EXPECT_GT(nonempty, 12);
}

TEST_P(StoreContract, AFilterFindsAFewRunsAmongThousands) {
  constexpr std::uint64_t kRuns = 3000;
  std::size_t done = 0;
  for (std::uint64_t n = 1; n <= kRuns; ++n) {
    Commit start = start_of(run_number(n));
    start.create->workflow = n == 2 || n == 1500 ? "rare" : "common";
    start.create->session_id = "everyone";
    store_->commit(std::move(start),
                   [&done](CommitOutcome outcome) { done += is_committed(outcome) ? 1 : 0; });
  }
  loop_.run_until([&] { return done == kRuns; });
  RunQuery everyone = page(2000);
  everyone.session_id = "everyone";
  RunQuery rare = everyone;
  rare.workflow = "rare";
  EXPECT_THAT(driver_.list_runs(rare), ElementsAre(run_number(1500), run_number(2)));
  rare.limit = 1;
  EXPECT_THAT(driver_.list_runs(rare), ElementsAre(run_number(1500)));
  EXPECT_EQ(driver_.list_runs(everyone).size(), 2000u);
}

TEST_P(StoreContract, ReadsSeeEveryCommitThatCompletedBeforeThem) {
  const RunId run = started(1);
  bool seen = false;
  store_->commit(append_to(run, 1), [&](CommitOutcome outcome) {
    ASSERT_TRUE(is_committed(outcome));
    store_->read_journal(run, 1, 10, [&](Result<std::vector<JournalEntry>> journal) {
      EXPECT_EQ(journal.value().size(), 1u);
      seen = true;
    });
    EXPECT_FALSE(seen);
  });
  loop_.run_until([&] { return seen; });
}

TEST_P(StoreContract, DefinitionsAreKeptByDigestAndNeverChange) {
  EXPECT_TRUE(driver_.put_definition("d1", "source: 1\n"));
  EXPECT_TRUE(driver_.put_definition("d2", ""));
  EXPECT_TRUE(driver_.put_definition("d1", "source: 1\n"));
  EXPECT_EQ(driver_.get_definition("d1"), "source: 1\n");
  EXPECT_EQ(driver_.get_definition("d2"), "");
}

TEST_P(StoreContract, ASettingHasItsLastValue) {
  EXPECT_TRUE(driver_.put_setting("project", "d1"));
  EXPECT_TRUE(driver_.put_setting("project", "d2"));
  EXPECT_EQ(driver_.get_setting("project"), "d2");
  EXPECT_EQ(driver_.get_setting("other").error().code, "not_found");
}

TEST_P(StoreContract, TheLastTimeIsTheLatestOfAllJournalsInWhateverOrderTheyWereWritten) {
  const auto commit_at = [&](std::uint64_t number, std::int64_t at) {
    Commit start = start_of(run_number(number));
    start.events[0].at = Timestamp(at);
    EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
    return driver_.last_time();
  };
  EXPECT_EQ(commit_at(1, 500), Timestamp(500));
  EXPECT_EQ(commit_at(2, 300), Timestamp(500));
  EXPECT_EQ(commit_at(3, 501), Timestamp(501));
}

TEST_P(StoreContract, CompletionsDieWithTheStore) {
  bool completed = false;
  store_->commit(start_of(run_number(1)), [&](CommitOutcome) { completed = true; });
  store_->find_run(run_number(1), [&](Result<RunRecord>) { completed = true; });
  store_.reset();
  bool turned = false;
  loop_.clock().post([&] { turned = true; });
  loop_.run_until([&] { return turned; });
  EXPECT_FALSE(completed);
}

}  // namespace
}  // namespace ganglion::testing

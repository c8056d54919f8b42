// What a commit promises.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::VariantWith;

TEST_P(StoreContract, ACommitAppendsItsEventsInOrder) {
  const RunId run = run_number(1);
  Commit start = start_of(run, 3);
  const std::vector<JournalEntry> events = start.events;
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_EQ(driver_.read_journal(run).value(), events);
}

TEST_P(StoreContract, EveryFieldOfAnEventComesBackAsItWas) {
  const RunId run = started(1);
  Commit commit = append_to(run, 1, R"({"text":"Ω 漢字 😀 \u0000 \"","n":1e400})");
  commit.events.push_back({.seq = 3,
                           .at = Timestamp(-5),
                           .type = "run_started",
                           .step = std::nullopt,
                           .item = std::nullopt,
                           .attempt = std::nullopt,
                           .data = "{}"});
  commit.events.push_back({.seq = 4,
                           .at = Timestamp(1'700'000'000'000),
                           .type = "x",
                           .step = "",
                           .item = 0,
                           .attempt = 4'294'967'295,
                           .data = "{}"});
  const std::vector<JournalEntry> events = commit.events;
  EXPECT_TRUE(is_committed(driver_.commit(std::move(commit))));
  EXPECT_EQ(driver_.read_journal(run, 1).value(), events);
}

TEST_P(StoreContract, AMebibyteOfDataComesBackAsItWas) {
  const RunId run = started(1);
  const std::string data = R"({"text":")" + std::string(1 << 20, 'x') + R"("})";
  EXPECT_TRUE(is_committed(driver_.commit(append_to(run, 1, data))));
  EXPECT_EQ(driver_.read_journal(run, 1).value().at(0).data, data);
}

TEST_P(StoreContract, ACommitAtAnotherVersionWritesNothingAndSaysWhereTheJournalIs) {
  const RunId run = started(1);
  EXPECT_TRUE(is_committed(driver_.commit(append_to(run, 1))));
  const auto at_two = VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 2u));

  Commit late = end_of(run, 1);
  EXPECT_THAT(driver_.commit(std::move(late)), at_two);
  EXPECT_THAT(driver_.commit(append_to(run, 3)), at_two);

  EXPECT_EQ(driver_.read_journal(run).value().size(), 2u);
  EXPECT_EQ(driver_.find_run(run).value(), record_of(run));
}

TEST_P(StoreContract, ARunIsCreatedOnce) {
  const RunId run = started(1);
  Commit again = start_of(run);
  again.create->workflow = "other";
  EXPECT_THAT(driver_.commit(std::move(again)),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 1u)));
  EXPECT_EQ(driver_.find_run(run).value().workflow, "code-review");
}

TEST_P(StoreContract, ACommitToARunThatDoesNotExistIsAConflictAtZero) {
  EXPECT_THAT(driver_.commit(append_to(run_number(1), 4)),
              VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 0u)));
  EXPECT_EQ(driver_.find_run(run_number(1)).error().code, "not_found");
}

TEST_P(StoreContract, OfTwoCommitsAtOneVersionTheFirstWins) {
  const RunId run = started(1);
  std::vector<CommitOutcome> outcomes;
  for (const char* data : {R"("first")", R"("second")"}) {
    store_->commit(append_to(run, 1, data), [&](CommitOutcome outcome) { outcomes.push_back(outcome); });
  }
  loop_.run_until([&] { return outcomes.size() == 2; });
  EXPECT_THAT(outcomes,
              ElementsAre(VariantWith<Committed>(::testing::_),
                          VariantWith<VersionConflict>(Field(&VersionConflict::actual_version, 2u))));
  EXPECT_EQ(driver_.read_journal(run, 1).value().at(0).data, R"("first")");
}

TEST_P(StoreContract, CompletionsComeAfterTheCallAndInTheOrderOfTheCommits) {
  constexpr int kCommits = 2000;
  const RunId chained = started(1);
  std::vector<int> completed;
  for (int i = 0; i < kCommits; ++i) {
    // Every third one loses; the next ones of the chain go on.
    const bool loses = i % 3 == 2;
    Commit commit = loses ? start_of(chained) : start_of(run_number(static_cast<std::uint64_t>(i) + 10));
    store_->commit(std::move(commit), [&completed, i, loses](CommitOutcome outcome) {
      EXPECT_NE(is_committed(outcome), loses);
      completed.push_back(i);
    });
    ASSERT_TRUE(completed.empty());
  }
  loop_.run_until([&] { return completed.size() == kCommits; });
  EXPECT_TRUE(std::ranges::is_sorted(completed));
}

TEST_P(StoreContract, CommitsThatWaitTogetherBuildOnOneAnother) {
  const RunId run = started(1);
  std::vector<CommitOutcome> outcomes;
  for (std::uint64_t version = 1; version <= 300; ++version) {
    store_->commit(append_to(run, version), [&](CommitOutcome outcome) { outcomes.push_back(outcome); });
  }
  loop_.run_until([&] { return outcomes.size() == 300; });
  EXPECT_TRUE(std::ranges::all_of(outcomes, is_committed));
  const auto journal = driver_.read_journal(run).value();
  ASSERT_EQ(journal.size(), 301u);
  for (std::size_t i = 0; i < journal.size(); ++i) EXPECT_EQ(journal[i].seq, i + 1);
}

TEST_P(StoreContract, AnIdempotencyKeyStandsForOneRun) {
  Commit first = start_of(run_number(1));
  first.claim = IdempotencyClaim{"key", "body"};
  Commit second = start_of(run_number(2));
  second.claim = IdempotencyClaim{"key", "other body"};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(first))));

  const CommitOutcome outcome = driver_.commit(std::move(second));
  const auto* taken = std::get_if<KeyTaken>(&outcome);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->run, run_number(1));
  EXPECT_EQ(taken->body_digest, "body");
  EXPECT_EQ(driver_.find_run(run_number(2)).error().code, "not_found");
}

TEST_P(StoreContract, AKeyThatIsClaimedTwiceAtOnceGoesToTheFirst) {
  std::vector<CommitOutcome> outcomes;
  for (const std::uint64_t number : {1, 2, 3}) {
    Commit start = start_of(run_number(number));
    start.claim = IdempotencyClaim{number == 3 ? "another key" : "key", "body"};
    store_->commit(std::move(start), [&](CommitOutcome outcome) { outcomes.push_back(outcome); });
  }
  loop_.run_until([&] { return outcomes.size() == 3; });
  EXPECT_THAT(outcomes, ElementsAre(VariantWith<Committed>(::testing::_),
                                    VariantWith<KeyTaken>(Field(&KeyTaken::run, run_number(1))),
                                    VariantWith<Committed>(::testing::_)));
}

TEST_P(StoreContract, ACommitThatLosesClaimsNoKey) {
  const RunId run = started(1);
  Commit again = start_of(run);
  again.claim = IdempotencyClaim{"key", "body"};
  EXPECT_FALSE(is_committed(driver_.commit(std::move(again))));

  Commit other = start_of(run_number(2));
  other.claim = IdempotencyClaim{"key", "body"};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(other))));
}

TEST_P(StoreContract, TheStatusChangesWithTheCommitThatSaysSo) {
  const RunId run = started(1);
  EXPECT_TRUE(is_committed(driver_.commit(end_of(run, 1, "failed"))));
  RunRecord expected = record_of(run);
  expected.status = "failed";
  expected.ended_at = Timestamp(1'700'000'100'000);
  EXPECT_EQ(driver_.find_run(run).value(), expected);
}

TEST_P(StoreContract, ARunMayStartWithAnotherStatusInOneCommit) {
  Commit start = start_of(run_number(1));
  start.status = StatusChange{"completed", Timestamp(7)};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_EQ(driver_.find_run(run_number(1)).value().status, "completed");
  EXPECT_EQ(driver_.find_run(run_number(1)).value().ended_at, Timestamp(7));
  EXPECT_TRUE(driver_.read_open_runs().empty());
}

}  // namespace
}  // namespace ganglion::testing

// Everything of a commit becomes durable together or not at all.

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WholeCommit : public StoreContract {
 protected:
  // Adds to a commit one of everything that it can carry.
  Commit laden(Commit commit) {
    commit.records = {
        {.kind = RecordKind::approval, .id = "new", .run = commit.run, .at = Timestamp(1), .data = "{}"}};
    commit.removed_records = {{RecordKind::approval, "old"}};
    commit.published = {topic_event("orders", "1")};
    commit.state = StateCommit{"s", {state_write("k", "1")}};
    commit.cached = {{.key = sha256_hex("key"),
                      .output = Payload("1"),
                      .at = Timestamp(1),
                      .expires_at = Timestamp(1'000'000)}};
    commit.blobs = {sha256_hex("blob")};
    return commit;
  }

  void prepare() {
    EXPECT_TRUE(driver_.put_record(
        {.kind = RecordKind::approval, .id = "old", .run = {}, .at = Timestamp(1), .data = "{}"}));
    EXPECT_TRUE(driver_.put_blob(sha256_hex("blob"), "blob", Timestamp(1)));
  }

  void expect_nothing_written() {
    EXPECT_TRUE(driver_.find_record(RecordKind::approval, "old"));
    EXPECT_FALSE(driver_.find_record(RecordKind::approval, "new"));
    EXPECT_EQ(driver_.last_event(), 0u);
    EXPECT_EQ(driver_.read_state("s").value(), StateSnapshot());
    EXPECT_FALSE(driver_.find_cached(sha256_hex("key")));
    EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(2)), 1u) << "nothing refers to the blob";
  }
};

INSTANTIATE_TEST_SUITE_P(Adapters, WholeCommit, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(WholeCommit, WritesEveryPart) {
  prepare();
  const CommitOutcome outcome = driver_.commit(laden(start_of(run_number(1))));
  const auto* committed = std::get_if<Committed>(&outcome);
  ASSERT_NE(committed, nullptr);
  EXPECT_THAT(committed->event_seqs, ElementsAre(1));
  EXPECT_EQ(committed->state_version, 1u);
  EXPECT_EQ(driver_.find_record(RecordKind::approval, "new").value().run, run_number(1));
  EXPECT_FALSE(driver_.find_record(RecordKind::approval, "old"));
  EXPECT_EQ(driver_.read_events({}).at(0).id, "1");
  EXPECT_EQ(driver_.read_state("s").value().entries.at("k").value.bytes(), "1");
  EXPECT_TRUE(driver_.find_cached(sha256_hex("key")));
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(2)), 0u);
}

TEST_P(WholeCommit, OfAPlainOneThereAreNoSeqsAndNoVersion) {
  const CommitOutcome outcome = driver_.commit(start_of(run_number(1)));
  EXPECT_THAT(std::get<Committed>(outcome).event_seqs, IsEmpty());
  EXPECT_EQ(std::get<Committed>(outcome).state_version, std::nullopt);
}

TEST_P(WholeCommit, AtAnotherVersionLeavesNothingBehind) {
  prepare();
  const RunId run = started(1);
  EXPECT_FALSE(is_committed(driver_.commit(laden(append_to(run, 7)))));
  EXPECT_FALSE(is_committed(driver_.commit(laden(start_of(run)))));
  EXPECT_FALSE(is_committed(driver_.commit(laden(append_to(run_number(2), 1)))));
  expect_nothing_written();
}

TEST_P(WholeCommit, WithAKeyThatIsTakenLeavesNothingBehind) {
  prepare();
  Commit first = start_of(run_number(1));
  first.claim = IdempotencyClaim{"key", "body"};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(first))));
  Commit second = laden(start_of(run_number(2)));
  second.claim = IdempotencyClaim{"key", "body"};
  EXPECT_FALSE(is_committed(driver_.commit(std::move(second))));
  expect_nothing_written();
  EXPECT_FALSE(driver_.find_run(run_number(2)));
}

TEST_P(WholeCommit, OfAForkThatCannotBeLeavesNothingBehind) {
  prepare();
  const RunId source = started(1);
  EXPECT_FALSE(is_committed(driver_.commit(laden(fork_of(source, 2, run_number(2))))));
  expect_nothing_written();
}

TEST_P(WholeCommit, BetweenOthersThatWaitFailsAlone) {
  prepare();
  const RunId run = started(1);
  std::vector<bool> committed;
  const auto note = [&](const CommitOutcome& outcome) { committed.push_back(is_committed(outcome)); };
  store_->commit(append_to(run, 1), note);
  store_->commit(laden(append_to(run, 1)), note);
  store_->commit(append_to(run, 2), note);
  loop_.run_until([&] { return committed.size() == 3; });
  EXPECT_THAT(committed, ElementsAre(true, false, true));
  expect_nothing_written();
}

TEST_P(WholeCommit, RunRecordsKeepTheirParentAndWhatWasUsed) {
  Commit child = start_of(run_number(2));
  child.create->parent = run_number(1);
  child.create->usage = R"({"tokens":1})";
  EXPECT_TRUE(is_committed(driver_.commit(child)));
  EXPECT_EQ(driver_.find_run(run_number(2)).value(), *child.create);

  Commit end = end_of(run_number(2), 1);
  end.status->usage = R"({"tokens":12,"usd":0.5})";
  EXPECT_TRUE(is_committed(driver_.commit(std::move(end))));
  EXPECT_EQ(driver_.find_run(run_number(2)).value().usage, R"({"tokens":12,"usd":0.5})");
  EXPECT_EQ(driver_.find_run(run_number(2)).value().parent, run_number(1));

  Commit at_once = start_of(run_number(3));
  at_once.status = StatusChange{"completed", Timestamp(7), R"({"tokens":3})"};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(at_once))));
  EXPECT_EQ(driver_.find_run(run_number(3)).value().usage, R"({"tokens":3})");
}

TEST_P(WholeCommit, TheRunsOfAParentAreListed) {
  for (std::uint64_t n = 1; n <= 6; ++n) {
    Commit start = start_of(run_number(n));
    if (n > 1) start.create->parent = run_number(n % 2 + 1);
    if (n > 4) start.create->labels = {{"team", "blue"}};
    EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  }
  RunQuery query;
  query.parent = run_number(1);
  EXPECT_THAT(driver_.list_runs(query), ElementsAre(run_number(6), run_number(4), run_number(2)));
  query.labels = {{"team", "blue"}};
  EXPECT_THAT(driver_.list_runs(query), ElementsAre(run_number(6)));
  query.labels = {};
  query.before = run_number(4);
  EXPECT_THAT(driver_.list_runs(query), ElementsAre(run_number(2)));
  query.parent = run_number(9);
  EXPECT_THAT(driver_.list_runs(query), IsEmpty());
}

}  // namespace
}  // namespace ganglion::testing

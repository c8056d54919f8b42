#include "adapters/redis/testing/committing_runs.h"

#include <gtest/gtest.h>

namespace ganglion::redis::testing {

using ganglion::testing::append_to;
using ganglion::testing::laden;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;

CommittingRuns::CommittingRuns(ganglion::testing::TestLoop& loop, ganglion::Store& store, std::uint64_t runs)
    : loop_(loop), store_(store) {
  for (std::uint64_t run = 1; run <= runs; ++run) versions_[run] = 0;
  for (std::uint64_t run = 1; run <= runs; ++run) commit_next(run);
}

void CommittingRuns::commit(std::uint64_t commits) {
  const std::uint64_t goal = acknowledged_ + commits;
  loop_.run_until([&] { return acknowledged_ >= goal; });
}

void CommittingRuns::finish() {
  finishing_ = true;
  loop_.run_until([&] { return on_their_way_ == 0; });
}

void CommittingRuns::commit_next(std::uint64_t run) {
  const std::uint64_t version = versions_.at(run);
  Commit next = version == 0 ? start_of(run_number(run)) : append_to(run_number(run), version);
  const bool is_laden = version % 3 == 2;
  if (is_laden) next = laden(std::move(next), run * 1'000'000 + version);
  ++on_their_way_;
  store_.commit(std::move(next),
                [this, run, is_laden](const CommitOutcome& outcome) { answered(run, outcome, is_laden); });
}

void CommittingRuns::answered(std::uint64_t run, const CommitOutcome& outcome, bool laden) {
  --on_their_way_;
  // Refused: it is tried again, and must find everything as it was.
  if (!std::holds_alternative<StoreUnavailable>(outcome)) {
    ASSERT_TRUE(ganglion::testing::is_committed(outcome)) << "run " << run << " at " << versions_.at(run);
    ++versions_.at(run);
    ++acknowledged_;
    laden_ += laden ? 1 : 0;
    if (laden) EXPECT_TRUE(std::get<Committed>(outcome).state_version);
  }
  if (!finishing_) commit_next(run);
}

void CommittingRuns::expect_exactly_what_was_acknowledged() {
  StoreDriver driver(loop_, store_);
  for (const auto& [run, version] : versions_) {
    const auto journal = driver.read_journal(run_number(run), 0, 1'000'000);
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(journal->size(), version) << "run " << run;
  }
  EXPECT_EQ(driver.last_event(), laden_);
  EXPECT_EQ(driver.read_state("s").value().version, laden_);
  RecordQuery records{.kind = RecordKind::dead_letter, .run = {}, .before = {}, .limit = 1'000'000};
  EXPECT_EQ(driver.list_records(records).value().size(), laden_);
}

}  // namespace ganglion::redis::testing

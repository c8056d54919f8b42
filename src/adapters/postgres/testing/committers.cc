#include "adapters/postgres/testing/committers.h"

#include <gtest/gtest.h>

namespace ganglion::testing {
namespace {

std::string session_of(const RunId& run) {
  return "session of " + run.text();
}

std::string data_of(std::uint64_t version) {
  return "{\"n\":" + std::to_string(version) + "}";
}

}  // namespace

Committers::Committers(TestLoop& loop, Store& store, std::size_t runs, std::uint64_t first_number)
    : loop_(loop), store_(store), versions_(runs) {
  for (std::size_t i = 0; i < runs; ++i) runs_.push_back(run_number(first_number + i));
  for (std::size_t i = 0; i < runs; ++i) commit_next(i);
}

void Committers::commit_next(std::size_t index) {
  if (stopping_) return;
  const RunId& run = runs_[index];
  const std::uint64_t version = versions_[index];
  Commit commit = version == 0 ? start_of(run) : append_to(run, version);
  commit.events[0].data = data_of(version + 1);
  commit.state = StateCommit{session_of(run), {state_write("n", std::to_string(version + 1))}, version};
  ++under_way_;
  store_.commit(std::move(commit), [this, index](CommitOutcome outcome) {
    --under_way_;
    if (is_committed(outcome)) {
      ++acknowledged_;
      ++versions_[index];
      EXPECT_EQ(std::get<Committed>(outcome).state_version, versions_[index]);
    } else if (std::holds_alternative<StoreUnavailable>(outcome)) {
      ++refused_;
    } else {
      ADD_FAILURE() << "a commit that nobody else made: outcome " << outcome.index();
      return;
    }
    commit_next(index);
  });
}

void Committers::run_for(std::size_t commits) {
  const std::size_t wanted = acknowledged_ + commits;
  loop_.run_until([&] { return acknowledged_ >= wanted || ::testing::Test::HasFailure(); });
}

void Committers::finish_and_check() {
  stopping_ = true;
  loop_.run_until([&] { return under_way_ == 0; });
  StoreDriver driver(loop_, store_);
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (versions_[i] == 0) continue;
    const auto journal = driver.read_journal(runs_[i], 0, 1'000'000).value();
    ASSERT_EQ(journal.size(), versions_[i]);
    for (const JournalEntry& entry : journal) EXPECT_EQ(entry.data, data_of(entry.seq));
    EXPECT_EQ(driver.read_state(session_of(runs_[i])).value().version, versions_[i]);
  }
}

}  // namespace ganglion::testing

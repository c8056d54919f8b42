// Several stores on one database, as several processes have them: each version is decided once, nobody waits
// in a circle, and who follows the event log misses nothing.

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "adapters/postgres/store.h"
#include "base/asio/asio.h"
#include "contract/store_driver.h"
#include "servers/postgres_server.h"

namespace ganglion::testing {
namespace {

PostgresServer& server() {
  static PostgresServer server({.fsync = "off"});
  return server;
}

class SharedPostgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed(PostgresServer::kProgram))
      GTEST_SKIP() << "Debian package postgresql-15 is not installed";
    schema_ = "shared_" + std::to_string(++schemas_);
    for (int i = 0; i < 3; ++i) {
      stores_.push_back(postgres::Store::open(loop_.context(),
                                              {.url = server().url() + "?schema=" + schema_,
                                               .fatal = [](const std::string& why) { ADD_FAILURE() << why; }})
                            .value());
    }
  }

  // None that lasted until the server noticed, so none that cost a second.
  void expect_no_deadlocks() {
    stores_.clear();
    EXPECT_EQ(
        server().query("SELECT pg_stat_force_next_flush(); SELECT deadlocks FROM pg_stat_database WHERE "
                       "datname = 'postgres'"),
        "0");
  }

  TestLoop loop_;
  std::string schema_;
  std::vector<std::unique_ptr<Store>> stores_;

 private:
  static int schemas_;
};

int SharedPostgres::schemas_ = 0;

// One process that commits to runs which others commit to as well, as fast as it can.
class Rival {
 public:
  Rival(Store& store, std::uint64_t seed, std::size_t runs, std::size_t commits)
      : store_(store), random_(seed), name_(std::to_string(seed)), versions_(runs, 1), left_(commits) {
    for (std::size_t i = 0; i < 16; ++i) commit_next();
  }

  bool done() const { return under_way_ == 0; }
  std::size_t lost() const { return lost_; }
  const std::map<std::pair<std::size_t, std::uint64_t>, std::string>& won() const { return won_; }
  const std::set<std::uint64_t>& published() const { return published_; }

 private:
  void commit_next() {
    if (left_ == 0) return;
    --left_;
    const std::size_t run = random_() % versions_.size();
    const std::uint64_t version = versions_[run];
    const std::string data = '"' + name_ + '/' + std::to_string(left_) + '"';
    Commit commit = append_to(run_number(run + 1), version, data);
    if (random_() % 2 == 0) commit.published = {topic_event("t", name_ + "/" + std::to_string(left_))};
    if (random_() % 2 == 0)
      commit.state = StateCommit{"s" + std::to_string(random_() % 5), {state_write("k", data)}};
    ++under_way_;
    store_.commit(std::move(commit), [this, run, version, data](const CommitOutcome& outcome) {
      --under_way_;
      if (const auto* committed = std::get_if<Committed>(&outcome)) {
        won_[{run, version + 1}] = data;
        published_.insert(committed->event_seqs.begin(), committed->event_seqs.end());
        versions_[run] = std::max(versions_[run], version + 1);
      } else {
        versions_[run] = std::max(versions_[run], std::get<VersionConflict>(outcome).actual_version);
        ++lost_;
      }
      commit_next();
    });
  }

  Store& store_;
  std::mt19937_64 random_;
  std::string name_;
  std::vector<std::uint64_t> versions_;
  std::size_t left_;
  std::size_t under_way_ = 0;
  std::size_t lost_ = 0;
  std::map<std::pair<std::size_t, std::uint64_t>, std::string> won_;
  std::set<std::uint64_t> published_;
};

// What is in the outbox of a store that is turned on while others commit.
std::set<RunId> outbox_of(StoreDriver& driver) {
  const std::vector<RunId> runs = driver.take_from_outbox();
  return {runs.begin(), runs.end()};
}

TEST_F(SharedPostgres, TurningTheOutboxOnMissesNoCommitThatComesAfter) {
  constexpr std::uint64_t kRuns = 300;
  StoreDriver driver(loop_, *stores_[0]);
  bool on = false;
  std::size_t open = 0;
  std::set<RunId> after;
  for (std::uint64_t n = 1; n <= kRuns; ++n) {
    ++open;
    stores_[n % 3]->commit(start_of(run_number(n)), [&, n](const CommitOutcome& outcome) {
      EXPECT_TRUE(is_committed(outcome));
      --open;
      // A commit that is made once it is on.
      if (!on) return;
      after.insert(run_number(n));
      ++open;
      stores_[n % 3]->commit(append_to(run_number(n), 1), [&](const CommitOutcome& second) {
        EXPECT_TRUE(is_committed(second));
        --open;
      });
    });
    if (n == kRuns / 2) stores_[1]->turn_outbox_on([&](Result<void> turned) { on = turned.has_value(); });
    if (n % 30 == 0) loop_.context().poll();
  }
  loop_.run_until([&] { return on && open == 0; });
  const std::set<RunId> noted = outbox_of(driver);
  EXPECT_FALSE(after.empty());
  for (const RunId& run : after) EXPECT_TRUE(noted.contains(run)) << run.text();
  expect_no_deadlocks();
}

// Follows the log from its beginning, always asking for what comes after the last event that it saw.
class Follower {
 public:
  explicit Follower(Store& store) : store_(store) { read(); }

  const std::vector<std::uint64_t>& seen() const { return seen_; }
  void stop() { stopping_ = true; }
  bool stopped() const { return stopped_; }

 private:
  void read() {
    store_.read_events(
        {.pattern = "**", .before = {}, .after = seen_.empty() ? 0 : seen_.back(), .limit = 100},
        [this, last = stopping_](Result<std::vector<TopicEvent>> events) {
          for (const TopicEvent& event : events.value()) seen_.push_back(event.seq);
          stopped_ = last && events->empty();
          if (!stopped_) read();
        });
  }

  Store& store_;
  std::vector<std::uint64_t> seen_;
  bool stopping_ = false;
  bool stopped_ = false;
};

TEST_F(SharedPostgres, OfSeveralProcessesOneDecidesEachVersionAndNobodyMissesAnEvent) {
  constexpr std::size_t kRuns = 8;
  StoreDriver driver(loop_, *stores_[0]);
  for (std::size_t run = 1; run <= kRuns; ++run) driver.commit(start_of(run_number(run)));
  Follower follower(*stores_[2]);
  std::vector<std::unique_ptr<Rival>> rivals;
  for (std::size_t i = 0; i < 3; ++i) rivals.push_back(std::make_unique<Rival>(*stores_[i], i, kRuns, 600));
  loop_.run_until(
      [&] { return std::ranges::all_of(rivals, &Rival::done, [](auto& r) -> auto& { return *r; }); });
  follower.stop();
  loop_.run_until([&] { return follower.stopped(); });

  std::map<std::pair<std::size_t, std::uint64_t>, std::string> won;
  std::set<std::uint64_t> published;
  std::size_t lost = 0;
  for (const auto& rival : rivals) {
    for (const auto& [version, data] : rival->won()) EXPECT_TRUE(won.emplace(version, data).second);
    published.insert(rival->published().begin(), rival->published().end());
    lost += rival->lost();
  }
  EXPECT_GT(lost, 0u) << "they didn't meet";
  for (std::size_t run = 0; run < kRuns; ++run) {
    for (const JournalEntry& entry : driver.read_journal(run_number(run + 1), 1, 100'000).value()) {
      const auto decided = won.find({run, entry.seq});
      ASSERT_NE(decided, won.end());
      EXPECT_EQ(entry.data, decided->second);
      won.erase(decided);
    }
  }
  EXPECT_TRUE(won.empty()) << "acknowledged, and not there";
  EXPECT_TRUE(std::ranges::equal(follower.seen(), published));
  EXPECT_EQ(follower.seen().size(), follower.seen().back());
  expect_no_deadlocks();
}

TEST_F(SharedPostgres, KeysThatAreClaimedInOppositeOrdersGoToOneRunEach) {
  constexpr std::size_t kKeys = 100;
  std::size_t answered = 0;
  std::map<std::string, RunId> owners;
  std::vector<std::pair<std::string, RunId>> told;
  for (std::size_t i = 0; i < 2 * kKeys; ++i) {
    const std::size_t store = i % 2;
    const std::string key = "key " + std::to_string(store == 0 ? i / 2 : kKeys - 1 - i / 2);
    Commit start = start_of(run_number(i + 1));
    start.claim = IdempotencyClaim{key, "body"};
    stores_[store]->commit(std::move(start), [&, key, run = run_number(i + 1)](const CommitOutcome& outcome) {
      ++answered;
      if (is_committed(outcome))
        EXPECT_TRUE(owners.emplace(key, run).second);
      else
        told.emplace_back(key, std::get<KeyTaken>(outcome).run);
    });
  }
  loop_.run_until([&] { return answered == 2 * kKeys; });
  EXPECT_EQ(owners.size(), kKeys);
  for (const auto& [key, run] : told) EXPECT_EQ(owners.at(key), run);
  expect_no_deadlocks();
}

TEST_F(SharedPostgres, ARunThatTwoCreateAtOnceIsCreatedOnce) {
  constexpr std::size_t kRuns = 100;
  std::size_t answered = 0;
  std::size_t created = 0;
  StoreDriver driver(loop_, *stores_[0]);
  const RunId parent = run_number(1'000);
  driver.commit(start_of(parent));
  for (std::size_t i = 0; i < 2 * kRuns; ++i) {
    const std::size_t store = i % 2;
    Commit start = start_of(run_number(store == 0 ? i / 2 + 1 : kRuns - i / 2));
    start.create->parent = parent;
    stores_[store]->commit(std::move(start), [&](const CommitOutcome& outcome) {
      ++answered;
      created += is_committed(outcome) ? 1 : 0;
      if (!is_committed(outcome)) EXPECT_EQ(std::get<VersionConflict>(outcome).actual_version, 1u);
    });
  }
  loop_.run_until([&] { return answered == 2 * kRuns; });
  EXPECT_EQ(created, kRuns);
  expect_no_deadlocks();
}

TEST_F(SharedPostgres, WritesThatWaitInACircleAreAllMade) {
  constexpr int kRecords = 60;
  int answered = 0;
  for (int i = 0; i < 2 * kRecords; ++i) {
    const int store = i % 2;
    const int number = store == 0 ? i / 2 : kRecords - 1 - i / 2;
    stores_[store]->put_record({.kind = RecordKind::approval,
                                .id = "r" + std::to_string(number),
                                .run = {},
                                .at = Timestamp(number),
                                .data = "{}"},
                               [&](const Result<void>& put) {
                                 EXPECT_TRUE(put);
                                 ++answered;
                               });
  }
  loop_.run_until([&] { return answered == 2 * kRecords; });
  StoreDriver driver(loop_, *stores_[0]);
  EXPECT_EQ(driver.list_records({.limit = 1000})->size(), std::size_t{kRecords});
}

TEST_F(SharedPostgres, WhatOneHasWrittenTheOthersRead) {
  StoreDriver first(loop_, *stores_[0]);
  StoreDriver second(loop_, *stores_[1]);
  first.commit(start_of(run_number(1)));
  EXPECT_EQ(second.read_journal(run_number(1))->size(), 1u);
  second.commit(end_of(run_number(1), 1));
  EXPECT_EQ(first.find_run(run_number(1))->status, "completed");
  EXPECT_TRUE(first.read_open_runs().empty());
  first.write_state("s", state_write("k", "1"));
  EXPECT_EQ(second.write_state("s", state_write("k", "2"), KeyVersion{1}), 2u);
  EXPECT_EQ(first.read_state("s")->version, 2u);
}

}  // namespace
}  // namespace ganglion::testing

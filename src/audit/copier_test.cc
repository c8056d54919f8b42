// The copier between a store and an audit in memory, both of which fail as a test wants it, under virtual
// time.

#include "audit/copier.h"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "adapters/memory/audit.h"
#include "adapters/memory/store.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::audit {
namespace {

using ganglion::testing::VirtualClock;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// An audit that is away, whose answers are lost, or that can't hold one run.
class FaultyAudit final : public Audit {
 public:
  FaultyAudit(Audit& audit, Clock& clock) : audit_(audit), clock_(clock) {}

  void identify(Completion<Result<std::string>> done) override {
    if (away) return refuse(std::move(done));
    audit_.identify(std::move(done));
  }
  void find_positions(std::vector<RunId> runs,
                      Completion<Result<std::vector<JournalPosition>>> done) override {
    if (away) return refuse(std::move(done));
    audit_.find_positions(std::move(runs), std::move(done));
  }
  void append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) override {
    if (away) return refuse(std::move(done));
    ++appends;
    for (const JournalGrowth& run : growth) {
      if (refused.contains(run.record.id)) {
        return clock_.post([done = std::move(done)]() mutable { done(fail("refused", "can't be held")); });
      }
    }
    if (!loses_answer) return audit_.append(std::move(growth), std::move(done));
    loses_answer = false;
    audit_.append(std::move(growth), [](Result<void>) {});
    refuse(std::move(done));
  }

  bool away = false;
  bool loses_answer = false;  // of the next append
  std::set<RunId> refused;
  int appends = 0;

 private:
  template <typename T>
  void refuse(Completion<Result<T>> done) {
    clock_.post([done = std::move(done)]() mutable { done(fail("unavailable", "away")); });
  }

  Audit& audit_;
  Clock& clock_;
};

// A store that can't be counted in, or can't keep a setting.
class FaultyStore final : public memory::Store {
 public:
  explicit FaultyStore(Clock& clock) : memory::Store(clock), clock_(clock) {}

  void count_outbox(Completion<Result<std::uint64_t>> done) override {
    if (!away) return memory::Store::count_outbox(std::move(done));
    clock_.post([done = std::move(done)]() mutable { done(fail("unavailable", "the store is away")); });
  }
  void put_setting(std::string name, std::string value, Completion<Result<void>> done) override {
    ++settings;
    if (!full) return memory::Store::put_setting(std::move(name), std::move(value), std::move(done));
    clock_.post([done = std::move(done)]() mutable { done(fail("unavailable", "the store is full")); });
  }

  bool away = false;
  bool full = false;
  int settings = 0;  // that were to be put

 private:
  Clock& clock_;
};

class CopierTest : public ::testing::Test {
 protected:
  static RunId run_number(std::uint64_t n) {
    return RunId::make(Timestamp(static_cast<std::int64_t>(1'700'000'000'000 + n)), 0, n);
  }

  CopierOptions options() {
    CopierOptions options;
    options.batch = 10;
    options.on_problem = [this](const Error& error) { problems_.push_back(error); };
    options.on_recovered = [this] { ++recovered_; };
    return options;
  }
  std::unique_ptr<Copier> started(CopierOptions options) {
    auto copier = std::make_unique<Copier>(store_, audit_, clock_, std::move(options));
    copier->start();
    return copier;
  }
  std::unique_ptr<Copier> started() { return started(options()); }

  // Adds one entry to the run; the first one makes it.
  void commit(std::uint64_t number) {
    const RunId run = run_number(number);
    std::uint64_t& version = versions_[run];
    Commit commit = commit_to(run, version);
    const std::string name = std::to_string(number) + "/" + std::to_string(version + 1);
    commit.events = {entry(version + 1, '"' + name + '"')};
    if (version == 0) commit.create = record_of(run);
    if (version > 0) commit.status = StatusChange{"at " + std::to_string(version + 1), {}};
    ++version;
    store_.commit(std::move(commit), [](const CommitOutcome& outcome) {
      EXPECT_TRUE(std::holds_alternative<Committed>(outcome));
    });
  }
  void fork(std::uint64_t source, std::uint64_t seq, std::uint64_t number) {
    Commit commit = commit_to(run_number(number), seq);
    commit.events = {entry(seq + 1, "{}")};
    commit.create = record_of(commit.run);
    commit.fork = ForkPoint{run_number(source), seq};
    versions_[commit.run] = seq + 1;
    store_.commit(std::move(commit), [](const CommitOutcome&) {});
  }
  static Commit commit_to(const RunId& run, std::uint64_t version) {
    return {.run = run, .expected_version = version, .events = {}, .create = {}, .status = {}, .claim = {}};
  }
  JournalEntry entry(std::uint64_t seq, std::string data) const {
    return {.seq = seq,
            .at = clock_.now(),
            .type = "task_completed",
            .step = {},
            .item = {},
            .attempt = {},
            .data = std::move(data)};
  }
  static RunRecord record_of(const RunId& run) {
    return {.id = run,
            .workflow = "w",
            .definition = "d",
            .status = "running",
            .session_id = {},
            .labels = {},
            .created_at = Timestamp(1),
            .ended_at = {}};
  }

  template <typename T, typename Call>
  T ask(Call call) {
    std::optional<T> answer;
    call([&](Result<T> value) { answer = std::move(value.value()); });
    clock_.run();
    return std::move(*answer);
  }
  std::uint64_t in_outbox() {
    return ask<std::uint64_t>([&](auto done) { store_.count_outbox(std::move(done)); });
  }
  // What the audit has of each run is the run's journal and record; and it has no other.
  void expect_equal() {
    EXPECT_THAT(kept_.runs(), SizeIs(versions_.size()));
    for (const auto& [run, version] : versions_) {
      const auto found = kept_.runs().find(run);
      ASSERT_NE(found, kept_.runs().end()) << run.text();
      EXPECT_EQ(found->second.journal, ask<std::vector<JournalEntry>>([&](auto done) {
                  store_.read_journal(run, 0, 1'000'000, std::move(done));
                }));
      EXPECT_EQ(found->second.record,
                ask<RunRecord>([&](auto done) { store_.find_run(run, std::move(done)); }));
    }
  }

  VirtualClock clock_;
  FaultyStore store_{clock_};
  memory::Audit kept_{clock_};
  FaultyAudit audit_{kept_, clock_};
  std::map<RunId, std::uint64_t> versions_;
  std::vector<Error> problems_;
  int recovered_ = 0;
};

TEST_F(CopierTest, EachCommitIsCopiedSoonAfterIt) {
  const auto copier = started();
  clock_.run();
  for (std::uint64_t n = 1; n <= 25; ++n) commit(n);
  commit(3);
  clock_.advance(Duration(100));
  expect_equal();
  commit(3);
  clock_.advance(Duration(100));
  expect_equal();
  EXPECT_EQ(in_outbox(), 0u);
  EXPECT_EQ(copier->statistics().entries, 27u);
  EXPECT_EQ(copier->statistics().lag, Duration(0));
}

TEST_F(CopierTest, WhatWasThereBeforeIsCopiedToo) {
  for (std::uint64_t n = 1; n <= 2'345; ++n) commit(n);
  const auto copier = started();
  clock_.advance(Duration(1'000));
  expect_equal();
}

TEST_F(CopierTest, AnotherAuditGetsTheWholeHistory) {
  commit(1);
  started();
  auto copier = started();
  clock_.advance(Duration(1'000));
  memory::Audit other(clock_, "another one");
  copier = std::make_unique<Copier>(store_, other, clock_, options());
  commit(2);
  copier->start();
  clock_.advance(Duration(1'000));
  EXPECT_THAT(other.runs(), SizeIs(2));
}

TEST_F(CopierTest, AStoreThatIsFilledIsNotPutInAgain) {
  commit(1);
  auto copier = started();
  clock_.advance(Duration(1'000));
  copier = started();
  clock_.advance(Duration(1'000));
  EXPECT_EQ(audit_.appends, 1);
}

TEST_F(CopierTest, AForkIsCopiedWithTheEntriesThatItShares) {
  const auto copier = started();
  for (int i = 0; i < 3; ++i) commit(1);
  clock_.advance(Duration(1'000));
  fork(1, 2, 7);
  clock_.advance(Duration(1'000));
  expect_equal();
}

TEST_F(CopierTest, ALongJournalIsCopiedPieceByPiece) {
  const auto copier = started();
  clock_.run();
  Commit large = commit_to(run_number(1), 0);
  large.create = record_of(large.run);
  for (std::uint64_t seq = 1; seq <= 50; ++seq) large.events.push_back(entry(seq, std::string(300'000, 'x')));
  versions_[large.run] = 50;
  store_.commit(std::move(large), [](const CommitOutcome&) {});
  commit(2);
  clock_.advance(Duration(1'000));
  expect_equal();
  EXPECT_GT(audit_.appends, 3);
}

TEST_F(CopierTest, AnOutageIsToldOnceAMinuteAndMadeUpFor) {
  const auto copier = started();
  clock_.run();
  audit_.away = true;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    commit(n);
    clock_.advance(Duration(3'000));
  }
  EXPECT_THAT(problems_, SizeIs(2));
  EXPECT_TRUE(copier->statistics().in_trouble);
  EXPECT_EQ(copier->statistics().backlog, 40u);
  EXPECT_GE(copier->statistics().lag, Duration(119'000));
  audit_.away = false;
  clock_.advance(Duration(2'000));
  EXPECT_EQ(recovered_, 1);
  EXPECT_FALSE(copier->statistics().in_trouble);
  expect_equal();
  EXPECT_EQ(in_outbox(), 0u);
}

TEST_F(CopierTest, AnOutageOfTheStoreWithNothingToCopyIsOverWhenTheStoreIsBack) {
  const auto copier = started();
  clock_.run();
  store_.away = true;
  clock_.advance(Duration(5'000));
  EXPECT_TRUE(copier->statistics().in_trouble);
  store_.away = false;
  clock_.advance(Duration(2'000));
  EXPECT_FALSE(copier->statistics().in_trouble);
  EXPECT_EQ(copier->statistics().lag, Duration(0));
  EXPECT_EQ(recovered_, 1);
}

TEST_F(CopierTest, AnotherTroubleIsToldAtOnceButNotWithoutEnd) {
  const auto copier = started();
  clock_.run();
  store_.away = true;
  clock_.advance(Duration(5'000));
  store_.away = false;
  audit_.away = true;
  commit(1);
  clock_.advance(Duration(5'000));
  EXPECT_THAT(problems_, SizeIs(2));
  audit_.away = false;
  for (std::uint64_t n = 1; n <= 30; ++n) {
    commit(n);
    audit_.refused.insert(run_number(n));
  }
  clock_.advance(Duration(5'000));
  EXPECT_THAT(problems_, SizeIs(kMaxReports));
}

TEST_F(CopierTest, AStoreThatCannotKeepThatItIsFilledIsAskedAgainAfterAPause) {
  store_.full = true;
  commit(1);
  const auto copier = started();
  clock_.advance(Duration(5'000));
  EXPECT_LE(store_.settings, 11);
  EXPECT_THAT(problems_, SizeIs(1));
  store_.full = false;
  clock_.advance(Duration(2'000));
  expect_equal();
}

TEST_F(CopierTest, AnAuditThatIsAwayAtTheStartIsWaitedFor) {
  audit_.away = true;
  commit(1);
  const auto copier = started();
  clock_.advance(Duration(5'000));
  commit(2);
  audit_.away = false;
  clock_.advance(Duration(2'000));
  expect_equal();
}

TEST_F(CopierTest, AnAppendWhoseAnswerIsLostIsNotMadeTwice) {
  const auto copier = started();
  clock_.run();
  audit_.loses_answer = true;
  for (std::uint64_t n = 1; n <= 5; ++n) commit(n);
  clock_.advance(Duration(100));
  for (std::uint64_t n = 1; n <= 5; ++n) commit(n);
  clock_.advance(Duration(2'000));
  expect_equal();
}

TEST_F(CopierTest, WhatADeadProcessHadTakenIsCopiedWhenItsLeaseIsOver) {
  auto dead = started();
  clock_.run();
  audit_.away = true;
  commit(1);
  clock_.advance(Duration(100));
  dead.reset();
  audit_.away = false;
  const auto copier = started();
  clock_.advance(Duration(9'000));
  EXPECT_EQ(in_outbox(), 1u) << "still another's";
  clock_.advance(Duration(2'000));
  expect_equal();
}

TEST_F(CopierTest, ADeathBetweenAppendAndSettleChangesNothing) {
  auto dead = started();
  clock_.run();
  for (std::uint64_t n = 1; n <= 5; ++n) commit(n);
  audit_.loses_answer = true;
  clock_.advance(Duration(100));
  dead.reset();
  commit(2);
  const auto copier = started();
  clock_.advance(Duration(11'000));
  expect_equal();
  EXPECT_EQ(in_outbox(), 0u);
}

TEST_F(CopierTest, ARunThatCannotBeHeldKeepsNoOtherFromIt) {
  const auto copier = started();
  clock_.run();
  audit_.refused = {run_number(2)};
  for (std::uint64_t n = 1; n <= 5; ++n) commit(n);
  clock_.advance(Duration(100));
  EXPECT_THAT(kept_.runs(), SizeIs(4));
  ASSERT_THAT(problems_, SizeIs(1));
  EXPECT_THAT(problems_[0].message, HasSubstr(run_number(2).text()));
  EXPECT_EQ(in_outbox(), 1u);
  audit_.refused.clear();
  clock_.advance(Duration(11'000));
  expect_equal();
}

TEST_F(CopierTest, FinishingWaitsForTheRest) {
  const auto copier = started();
  clock_.run();
  for (std::uint64_t n = 1; n <= 35; ++n) commit(n);
  bool finished = false;
  copier->finish(Duration(2'000), [&] { finished = true; });
  clock_.advance(Duration(300));
  EXPECT_TRUE(finished);
  expect_equal();
}

TEST_F(CopierTest, FinishingDoesNotWaitForAnAuditThatStaysAway) {
  const auto copier = started();
  clock_.run();
  audit_.away = true;
  commit(1);
  bool finished = false;
  copier->finish(Duration(2'000), [&] { finished = true; });
  clock_.advance(Duration(1'900));
  EXPECT_FALSE(finished);
  clock_.advance(Duration(200));
  EXPECT_TRUE(finished);
}

// Copiers that come and go, an audit that is away or loses answers, leases that end early, runs that go on.
TEST_F(CopierTest, WhateverHappensTheAuditIsEqualInTheEnd) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 random(seed);
    CopierOptions hasty = options();
    hasty.lease = Duration(150);
    std::vector<std::unique_ptr<Copier>> copiers(3);
    for (int step = 0; step < 300; ++step) {
      switch (random() % 8) {
        case 0:
          copiers[random() % copiers.size()].reset();
          break;
        case 1: {
          std::unique_ptr<Copier>& copier = copiers[random() % copiers.size()];
          if (!copier) copier = started(hasty);
          break;
        }
        case 2:
          audit_.away = random() % 2 == 0;
          break;
        case 3:
          audit_.loses_answer = true;
          break;
        case 4:
          clock_.advance(Duration(static_cast<std::int64_t>(random() % 200)));
          break;
        default:
          commit(seed * 100 + random() % 40);
      }
    }
    audit_.away = false;
    copiers[0] = started(hasty);
    clock_.advance(Duration(60'000));
    expect_equal();
    EXPECT_EQ(in_outbox(), 0u);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

}  // namespace
}  // namespace ganglion::audit

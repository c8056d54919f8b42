// Every moment at which a process or a machine can die in a workload that uses all of the store, and every
// way of `Arrival` in which the disk can be left. After each the store opens and holds the first so many
// steps of the workload, whole, with every step that was acknowledged before.

#include <gtest/gtest.h>

#include <cstdio>
#include <unordered_map>

#include "adapters/sqlite/testing/disk_history.h"
#include "adapters/sqlite/testing/sweep_run.h"

namespace ganglion::sqlite {
namespace {

using testing::Arrival;
using testing::DiskChange;
using testing::DiskHistory;
using testing::DiskImage;
using testing::FaultyVfs;
using testing::Found;
using testing::kArrivals;
using testing::StoreFile;
using testing::SweepRun;
using testing::Writes;

std::size_t hash_of(const DiskImage& image) {
  std::size_t hash = 0;
  for (const auto& [path, bytes] : image)
    hash = hash * 31 + std::hash<std::string>()(path) * 7 + std::hash<std::string>()(bytes);
  return hash;
}

class SqliteCrashSweep : public ::testing::Test {
 protected:
  SqliteCrashSweep() {
    SweepRun run(disk_, place_);
    run.perform();
    EXPECT_TRUE(run.complaints().empty()) << run.complaints().front();
    EXPECT_TRUE(run.open_errors().empty());
    changes_ = disk_.changes();
    positions_ = run.positions();
    EXPECT_EQ(positions_.size() + 1, testing::expected().size());
  }

  // Calls `visit(history, next)` for the moment before each change, and for the one after the last.
  template <typename Visit>
  void at_every_moment(Visit visit) {
    DiskHistory history({});
    for (moment_ = 0; moment_ <= changes_.size() && !HasFatalFailure(); ++moment_) {
      visit(history, moment_ < changes_.size() ? &changes_[moment_] : nullptr);
      if (moment_ < changes_.size()) history.apply(changes_[moment_]);
    }
    std::printf("%zu changes, %zu images, %zu different\n", changes_.size(), images_, seen_.size());
  }

  // What was acknowledged when the disk had seen as many changes as now.
  std::size_t acknowledged() const {
    std::size_t count = 0;
    while (count < positions_.size() && positions_[count] <= moment_) ++count;
    return count;
  }

  void expect_recovery(const DiskImage& image, const std::string& how) {
    ++images_;
    const auto [seen, is_new] = seen_.try_emplace(hash_of(image));
    if (is_new) {
      const Found found = testing::open_on(disk_, place_, image, Writes::yes);
      ASSERT_FALSE(found.refused) << where(how) << found.refused->message;
      ASSERT_FALSE(found.stopped) << where(how);
      const auto steps = testing::prefix_in(found.dump, 0);
      ASSERT_TRUE(steps) << where(how)
                         << testing::difference(testing::expected()[acknowledged()], found.dump);
      seen->second = *steps;
    }
    // Steps that change nothing that can be read look like the one before.
    std::size_t steps = seen->second;
    while (steps + 1 < testing::expected().size() &&
           testing::expected()[steps] == testing::expected()[steps + 1])
      ++steps;
    ASSERT_GE(steps, acknowledged()) << where(how) << "something acknowledged is lost";
  }

  std::string where(const std::string& how) const {
    std::string text = "at change " + std::to_string(moment_) + ", " + how + ": ";
    if (moment_ < changes_.size()) {
      const DiskChange& next = changes_[moment_];
      text += "before a " + std::to_string(static_cast<int>(next.kind)) + " of " + next.path + " at " +
              std::to_string(next.offset) + "+" + std::to_string(next.bytes.size()) + "\n";
    }
    return text;
  }

  FaultyVfs disk_;
  StoreFile place_{testing::quick_folder()};
  std::vector<DiskChange> changes_;
  std::vector<std::size_t> positions_;
  std::size_t moment_ = 0;
  std::size_t images_ = 0;
  std::unordered_map<std::size_t, std::size_t> seen_;  // images by hash, and how many steps they hold
};

TEST_F(SqliteCrashSweep, TheWorkloadMovesTheLogAndStartsItAfreshMoreThanOnce) {
  int checkpointed = 0;
  int begun = 0;
  int removed = 0;
  for (const DiskChange& change : changes_) {
    const bool database = change.path.ends_with(".db");
    checkpointed += database && change.kind == DiskChange::Kind::sync ? 1 : 0;
    begun += change.path.ends_with("-wal") && change.kind == DiskChange::Kind::write && change.offset == 0;
    removed += change.path.ends_with("-wal") && change.kind == DiskChange::Kind::remove;
  }
  EXPECT_GE(checkpointed, 4);
  EXPECT_GE(begun, 4) << "two openings, and twice in operation";
  EXPECT_EQ(removed, 2);
}

TEST_F(SqliteCrashSweep, AKillAtAnyWriteLosesNothingAcknowledgedAndLeavesNothingInPart) {
  at_every_moment(
      [&](const DiskHistory& history, const DiskChange*) { expect_recovery(history.current(), "killed"); });
}

TEST_F(SqliteCrashSweep, ATornWriteLosesNothingAcknowledgedAndLeavesNothingInPart) {
  at_every_moment([&](const DiskHistory& history, const DiskChange* next) {
    if (next == nullptr || next->kind != DiskChange::Kind::write) return;
    const std::size_t size = next->bytes.size();
    for (const std::size_t bytes : {size > 512 ? std::size_t{512} : size / 2, size - 1})
      expect_recovery(history.torn(*next, bytes), "torn after " + std::to_string(bytes) + " bytes");
  });
}

TEST_F(SqliteCrashSweep, APowerLossLosesNothingAcknowledgedWhateverOfTheRestArrives) {
  at_every_moment([&](const DiskHistory& history, const DiskChange*) {
    for (const Arrival arrival : kArrivals)
      expect_recovery(history.after_power_loss(arrival), name_of(arrival));
  });
}

}  // namespace
}  // namespace ganglion::sqlite

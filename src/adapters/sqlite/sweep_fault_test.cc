// Every call of the disk in a workload that uses all of the store, failing once: each write refused, each
// write and each sync failing, each read failing or coming up short, at opening and later. The store says so,
// goes on by itself where nothing is in doubt, and ends its process where something is; and whatever it has
// acknowledged is on the disk afterwards.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdio>

#include "adapters/sqlite/testing/disk_history.h"
#include "adapters/sqlite/testing/sweep_run.h"

namespace ganglion::sqlite {
namespace {

using testing::Arrival;
using testing::DiskCall;
using testing::DiskChange;
using testing::DiskFault;
using testing::DiskHistory;
using testing::DiskImage;
using testing::FaultyVfs;
using testing::Found;
using testing::StoreFile;
using testing::SweepRun;
using testing::Writes;

class SqliteFaultSweep : public ::testing::Test {
 protected:
  // Does the workload once for each call of the kind, with that call failing; `check` looks at what the run
  // was like.
  template <typename Check>
  void at_every_call(DiskFault fault, SweepRun::Reads reads, Check check) {
    int stopped = 0;
    int refused_to_open = 0;
    for (fault.position = 0;; ++fault.position) {
      position_ = fault.position;
      SCOPED_TRACE("call " + std::to_string(fault.position));
      disk_.heal();
      disk_.restore({});
      disk_.fail_once(fault);
      const int syncs = disk_.syncs();
      SweepRun run(disk_, place_);
      run.perform(reads);
      if (!disk_.fault_met()) break;
      ASSERT_TRUE(run.complaints().empty()) << run.complaints().front();
      for (const Error& error : run.open_errors()) {
        ASSERT_NE(error.code, "store_incompatible") << error.message;
        ASSERT_NE(error.message, "");
      }
      stopped += run.stopped() ? 1 : 0;
      refused_to_open += run.open_errors().empty() ? 0 : 1;
      ASSERT_NO_FATAL_FAILURE(check(run, run.syncs_when_stopped() - syncs));
      ASSERT_NO_FATAL_FAILURE(expect_all_acknowledged(run, disk_.image()));
    }
    std::printf("%d calls, %d runs ended by the store, %d in which it didn't open at once\n", fault.position,
                stopped, refused_to_open);
    EXPECT_GT(fault.position, 20);
  }

  int position() const { return position_; }

  void expect_all_acknowledged(const SweepRun& run, DiskImage image) {
    disk_.heal();
    if (!run.stopped()) ASSERT_EQ(run.acknowledged() + 1, testing::expected().size());
    const Found found = testing::open_on(disk_, place_, std::move(image), Writes::yes);
    ASSERT_FALSE(found.refused) << found.refused->message;
    ASSERT_FALSE(found.stopped);
    ASSERT_TRUE(testing::prefix_in(found.dump, run.acknowledged()))
        << run.acknowledged() << " acknowledged\n"
        << testing::difference(testing::expected()[run.acknowledged()], found.dump);
  }

  int position_ = 0;
  FaultyVfs disk_;
  StoreFile place_{testing::quick_folder()};
};

// What a full disk and a quota do to a write: nothing of it arrives, or a part.
class SqliteRefusedWriteSweep : public SqliteFaultSweep,
                                public ::testing::WithParamInterface<std::pair<int, std::size_t>> {};

TEST_P(SqliteRefusedWriteSweep, ThatAnyWriteMeetsIsAnsweredAndTheStoreGoesOnByItself) {
  const DiskFault fault{.call = DiskCall::write, .code = GetParam().first, .bytes_before = GetParam().second};
  at_every_call(fault, SweepRun::Reads::no, [](const SweepRun& run, int) {
    ASSERT_FALSE(run.stopped());
    for (const Error& error : run.open_errors()) ASSERT_EQ(error.code, "store_unavailable") << error.message;
  });
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteRefusedWriteSweep,
                         ::testing::Values(std::pair(SQLITE_FULL, 0), std::pair(SQLITE_IOERR_WRITE, 100)));

TEST_F(SqliteFaultSweep, AFailedSyncEndsTheProcessAndIsNotTriedAgain) {
  const DiskFault fault{.call = DiskCall::sync, .code = SQLITE_IOERR_FSYNC};
  at_every_call(fault, SweepRun::Reads::no, [&](const SweepRun& run, int syncs) {
    // A store that is being opened or closed has no process to end: it isn't open.
    if (!run.stopped()) return;
    ASSERT_EQ(syncs, position() + 1) << "something was synced after the failure";
    // What could not be synced may be gone, although it could be read until now.
    DiskHistory history({});
    for (const DiskChange& change : disk_.changes()) history.apply(change);
    const DiskImage image = disk_.image();
    expect_all_acknowledged(run, history.after_power_loss(Arrival::none));
    disk_.restore(image);
  });
}

class SqliteFailedReadSweep : public SqliteFaultSweep,
                              public ::testing::WithParamInterface<std::pair<int, std::size_t>> {};

TEST_P(SqliteFailedReadSweep, IsAnErrorOrTheEndOfTheProcessAndNeverOtherData) {
  const DiskFault fault{.call = DiskCall::read, .code = GetParam().first, .bytes_before = GetParam().second};
  at_every_call(fault, SweepRun::Reads::yes, [](const SweepRun&, int) {});
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteFailedReadSweep,
                         ::testing::Values(std::pair(SQLITE_IOERR_READ, 0),
                                           std::pair(SQLITE_IOERR_SHORT_READ, 0)));

}  // namespace
}  // namespace ganglion::sqlite

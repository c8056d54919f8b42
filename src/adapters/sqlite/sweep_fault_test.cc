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
  // A session of the workload, and the files that it finds.
  struct Case {
    const char* name;
    std::size_t session;
    DiskImage start;
  };

  SqliteFaultSweep() {
    SweepRun run(disk_, place_);
    run.perform_session(0, SweepRun::Reads::no);
    DiskHistory history({});
    const std::vector<DiskChange> changes = disk_.changes();
    for (std::size_t i = 0; i < run.positions().back(); ++i) history.apply(changes[i]);
    new_ = {"a new file", 0, {}};
    closed_ = {"a closed file", 1, disk_.image()};
    killed_ = {"a log to take over", 1, history.current()};
  }

  // Does the session once for each call of the kind in it, with that call failing; `check` looks at what the
  // run was like.
  template <typename Check>
  void at_every_call(const Case& what, DiskFault fault, SweepRun::Reads reads, Check check) {
    const int before = faults_;
    stopped_ = refused_to_open_ = 0;
    for (fault.position = 0; try_with(what, fault, reads, check) && !HasFatalFailure(); ++fault.position)
      ++faults_;
    std::printf("%s: %d calls, %d runs ended by the store, %d in which it didn't open at once\n", what.name,
                faults_ - before, stopped_, refused_to_open_);
  }

  // False where the session ended before the fault.
  template <typename Check>
  bool try_with(const Case& what, const DiskFault& fault, SweepRun::Reads reads, Check check) {
    SCOPED_TRACE(what.name + (", call " + std::to_string(fault.position)));
    disk_.heal();
    disk_.restore(what.start);
    disk_.fail_once(fault);
    const int syncs = disk_.syncs();
    SweepRun run(disk_, place_);
    run.perform_session(what.session, reads);
    EXPECT_TRUE(run.complaints().empty()) << run.complaints().front();
    if (!disk_.fault_met()) return false;
    for (const Error& error : run.open_errors()) {
      EXPECT_TRUE(error.code == "store_unavailable" || error.code == "store_corrupt") << error.code;
      EXPECT_NE(error.message, "");
    }
    stopped_ += run.stopped() ? 1 : 0;
    refused_to_open_ += run.open_errors().empty() ? 0 : 1;
    // A store that is being opened or closed has no process to end.
    if (run.stopped() && fault.call == DiskCall::sync) {
      EXPECT_EQ(run.syncs_when_stopped() - syncs, fault.position + 1) << "synced after the failure";
    }
    check(run);
    if (!run.stopped()) EXPECT_EQ(run.acknowledged(), steps_until(what.session));
    expect_all_acknowledged(run, disk_.image());
    return true;
  }

  static std::size_t steps_until(std::size_t session) {
    const std::vector<testing::Session>& sessions = testing::sweep_workload();
    std::size_t steps = 0;
    for (std::size_t i = 0; i <= session; ++i) steps += testing::step_count(sessions[i]);
    return steps;
  }

  void expect_all_acknowledged(const SweepRun& run, DiskImage image) {
    disk_.heal();
    const Found found = testing::open_on(disk_, place_, std::move(image), Writes::yes);
    ASSERT_FALSE(found.refused) << found.refused->message;
    ASSERT_FALSE(found.stopped);
    ASSERT_TRUE(testing::prefix_in(found.dump, run.acknowledged()))
        << run.acknowledged() << " acknowledged\n"
        << testing::difference(testing::expected()[run.acknowledged()], found.dump);
  }

  FaultyVfs disk_;
  StoreFile place_{testing::quick_folder()};
  Case new_, closed_, killed_;
  int faults_ = 0, stopped_ = 0, refused_to_open_ = 0;
};

// What a full disk and a quota do to a write: nothing of it arrives, or a part.
class SqliteRefusedWriteSweep : public SqliteFaultSweep,
                                public ::testing::WithParamInterface<std::pair<int, std::size_t>> {};

TEST_P(SqliteRefusedWriteSweep, ThatAnyWriteMeetsIsAnsweredAndTheStoreGoesOnByItself) {
  const DiskFault fault{.call = DiskCall::write, .code = GetParam().first, .bytes_before = GetParam().second};
  for (const Case& what : {new_, killed_}) {
    at_every_call(what, fault, SweepRun::Reads::no, [](const SweepRun& run) {
      ASSERT_FALSE(run.stopped());
      for (const Error& error : run.open_errors())
        ASSERT_EQ(error.code, "store_unavailable") << error.message;
    });
  }
  EXPECT_GT(faults_, 200);
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteRefusedWriteSweep,
                         ::testing::Values(std::pair(SQLITE_FULL, 0), std::pair(SQLITE_IOERR_WRITE, 100)));

TEST_F(SqliteFaultSweep, AFailedSyncEndsTheProcessAndIsNotTriedAgain) {
  const DiskFault fault{.call = DiskCall::sync, .code = SQLITE_IOERR_FSYNC};
  for (const Case& what : {new_, closed_, killed_}) {
    at_every_call(what, fault, SweepRun::Reads::no, [&](const SweepRun& run) {
      if (!run.stopped()) return;
      // What could not be synced may be gone, although it could be read until now.
      DiskHistory history(what.start);
      for (const DiskChange& change : disk_.changes()) history.apply(change);
      const DiskImage image = disk_.image();
      expect_all_acknowledged(run, history.after_power_loss(Arrival::none));
      disk_.restore(image);
    });
  }
  EXPECT_GT(faults_, 40);
}

class SqliteFailedReadSweep : public SqliteFaultSweep,
                              public ::testing::WithParamInterface<std::pair<int, std::size_t>> {};

TEST_P(SqliteFailedReadSweep, IsAnErrorOrTheEndOfTheProcessAndNeverOtherData) {
  const DiskFault fault{.call = DiskCall::read, .code = GetParam().first, .bytes_before = GetParam().second};
  for (const Case& what : {new_, closed_, killed_})
    at_every_call(what, fault, SweepRun::Reads::yes, [](const SweepRun&) {});
  EXPECT_GT(faults_, 150);
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteFailedReadSweep,
                         ::testing::Values(std::pair(SQLITE_IOERR_READ, 0),
                                           std::pair(SQLITE_IOERR_SHORT_READ, 1000)));

}  // namespace
}  // namespace ganglion::sqlite

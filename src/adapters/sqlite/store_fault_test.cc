// What a disk may do to a running store, injected below SQLite.

#include <gmock/gmock.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "adapters/sqlite/store.h"
#include "adapters/sqlite/testing/faulty_vfs.h"
#include "adapters/sqlite/testing/store_file.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using testing::FaultyVfs;
using testing::StoreFile;

bool is_unavailable(const CommitOutcome& outcome) {
  return std::holds_alternative<StoreUnavailable>(outcome);
}

class SqliteFault : public ::testing::Test {
 protected:
  SqliteFault() {
    Options options = file_.options(loop_);
    options.vfs = FaultyVfs::kName;
    options.fatal = [this](const std::string&) { ++fatal_; };
    store_ = Store::open(std::move(options)).value();
    EXPECT_TRUE(is_committed(StoreDriver(loop_, *store_).commit(start_of(run_number(1)))));
  }

  StoreDriver driver() { return StoreDriver(loop_, *store_); }

  FaultyVfs disk_;
  StoreFile file_;
  TestLoop loop_;
  std::atomic<int> fatal_ = 0;
  std::unique_ptr<Store> store_;
};

class SqliteRefusedWrite : public SqliteFault, public ::testing::WithParamInterface<int> {};

TEST_P(SqliteRefusedWrite, WritesNothingAndTheStoreRecoversByItself) {
  disk_.fail_writes(GetParam());
  EXPECT_TRUE(is_unavailable(driver().commit(append_to(run_number(1), 1))));
  EXPECT_TRUE(is_unavailable(driver().commit(start_of(run_number(2)))));
  EXPECT_EQ(driver().put_setting("project", "d1").error().code, "unavailable");
  EXPECT_EQ(driver().read_journal(run_number(1)).value().size(), 1u) << "reads go on";

  disk_.fail_writes(0);
  EXPECT_EQ(driver().find_run(run_number(2)).error().code, "not_found");
  EXPECT_TRUE(is_committed(driver().commit(append_to(run_number(1), 1))));
  EXPECT_TRUE(is_committed(driver().commit(start_of(run_number(2)))));
  EXPECT_EQ(fatal_, 0);

  store_.reset();
  EXPECT_EQ(file_.shell("SELECT count(*) FROM journal; PRAGMA integrity_check"), "3\nok\n");
}

INSTANTIATE_TEST_SUITE_P(Codes, SqliteRefusedWrite, ::testing::Values(SQLITE_FULL, SQLITE_IOERR_WRITE));

TEST_F(SqliteFault, EveryCommitOfARefusedGroupIsAnsweredInOrder) {
  disk_.fail_writes(SQLITE_FULL);
  std::vector<std::uint64_t> answered;
  for (std::uint64_t n = 10; n < 500; ++n) {
    store_->commit(start_of(run_number(n)), [&answered, n](CommitOutcome outcome) {
      EXPECT_TRUE(is_unavailable(outcome));
      answered.push_back(n);
    });
  }
  loop_.run_until([&] { return answered.size() == 490; });
  EXPECT_TRUE(std::ranges::is_sorted(answered));
}

TEST_F(SqliteFault, ACommitIsSyncedBeforeItIsAcknowledgedAndManyShareOneSync) {
  const int before = disk_.syncs();
  EXPECT_TRUE(is_committed(driver().commit(append_to(run_number(1), 1))));
  const int after_one = disk_.syncs();
  EXPECT_GE(after_one, before + 1);

  std::size_t done = 0;
  for (std::uint64_t n = 10; n < 1010; ++n) {
    store_->commit(start_of(run_number(n)), [&done](CommitOutcome) { ++done; });
  }
  loop_.run_until([&] { return done == 1000; });
  EXPECT_LT(disk_.syncs(), after_one + 250) << "1000 commits that wait are written in groups";
}

TEST_F(SqliteFault, AFailedSyncEndsEverythingAndIsNeverTriedAgain) {
  disk_.fail_syncs(SQLITE_IOERR_FSYNC);
  bool answered = false;
  store_->commit(append_to(run_number(1), 1), [&](CommitOutcome) { answered = true; });
  while (fatal_ == 0) std::this_thread::yield();
  const int syncs = disk_.syncs();
  disk_.fail_syncs(0);

  // The next fsync would succeed and prove nothing: nothing more is written or answered.
  store_->commit(append_to(run_number(1), 1), [&](CommitOutcome) { answered = true; });
  bool turned = false;
  loop_.clock().post([&] { turned = true; });
  loop_.run_until([&] { return turned; });
  EXPECT_FALSE(answered);
  EXPECT_EQ(fatal_, 1);
  EXPECT_EQ(disk_.syncs(), syncs);
}

TEST_F(SqliteFault, ACheckpointThatFindsNoSpaceLosesNothing) {
  disk_.fail_checkpoint_writes(SQLITE_FULL);
  const std::string data = '"' + std::string(100'000, 'x') + '"';
  for (std::uint64_t version = 1; version <= 100; ++version) {
    ASSERT_TRUE(is_committed(driver().commit(append_to(run_number(1), version, data))));
  }
  disk_.fail_checkpoint_writes(0);
  ASSERT_TRUE(is_committed(driver().commit(append_to(run_number(1), 101, data))));
  EXPECT_EQ(fatal_, 0);
  store_.reset();
  EXPECT_EQ(file_.shell("SELECT count(*) FROM journal; PRAGMA integrity_check"), "102\nok\n");
}

TEST(SqliteFullDisk, ARealFileSystemWithoutSpaceIsAnsweredAndRecoveredFrom) {
  StoreFile file;
  // A mount of this process alone, so that nothing is left behind.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", file.folder().c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs is not permitted here";
  }
  TestLoop loop;
  const std::string data = '"' + std::string(50'000, 'x') + '"';
  const std::filesystem::path ballast = file.folder() / "ballast";
  {
    const auto store = file.open(loop).value();
    EXPECT_EQ(store->weaker_promises().size(), 1u) << "a file system in memory promises less";
    StoreDriver driver(loop, *store);
    ASSERT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
    std::ofstream(ballast) << std::string(4 << 20, 'x');
    std::uint64_t version = 1;
    while (is_committed(driver.commit(append_to(run_number(1), version, data)))) ++version;
    EXPECT_TRUE(is_unavailable(driver.commit(append_to(run_number(1), version, data))));
    EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), version);

    std::filesystem::remove(ballast);
    EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), version, data))));
    EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), version + 1);
  }
  EXPECT_EQ(file.shell("PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(::umount2(file.folder().c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace ganglion::sqlite

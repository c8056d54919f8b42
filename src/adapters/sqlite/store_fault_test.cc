// What a disk may do to a running store, injected below SQLite.

#include <gmock/gmock.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "adapters/sqlite/store.h"
#include "adapters/sqlite/testing/faulty_vfs.h"
#include "adapters/sqlite/testing/store_file.h"
#include "base/sha256.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::laden;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::state_write;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using ganglion::testing::topic_event;
using ganglion::testing::unlike_text;
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
    options.fatal = [this, post = loop_.poster()](const std::string&) { post([this] { ++fatal_; }); };
    store_ = Store::open(std::move(options)).value();
    EXPECT_TRUE(is_committed(StoreDriver(loop_, *store_).commit(start_of(run_number(1)))));
  }

  // Closes the store; the shell looks at what it leaves.
  std::string shell(const std::string& sql) {
    store_.reset();
    StoreFile::write(disk_.image());
    return file_.shell(sql);
  }

  StoreDriver driver() { return StoreDriver(loop_, *store_); }

  FaultyVfs disk_;
  StoreFile file_;
  TestLoop loop_;
  int fatal_ = 0;
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

  EXPECT_EQ(shell("SELECT count(*) FROM journal; PRAGMA integrity_check"), "3\nok\n");
}

TEST_P(SqliteRefusedWrite, InTheMiddleOfACommitWithEverythingLeavesNothingOfIt) {
  const std::string blob = "content";
  ASSERT_TRUE(driver().put_blob(sha256_hex(blob), blob, Timestamp(1)));
  Commit full = laden(append_to(run_number(1), 1, unlike_text(1'200'000, 1)), 1);
  full.blobs = {sha256_hex(blob)};
  // Whichever write to the disk is the first that fails: the first of the log's, one in their midst, the
  // last.
  int refused = 0;
  for (int allowed = 0;; ++allowed, ++refused) {
    ASSERT_LT(allowed, 1000);
    disk_.fail_writes_after(allowed, GetParam());
    const CommitOutcome outcome = driver().commit(full);
    disk_.fail_writes(0);
    if (is_committed(outcome)) break;
    ASSERT_TRUE(is_unavailable(outcome));
    ASSERT_EQ(driver().read_journal(run_number(1)).value().size(), 1u);
    ASSERT_EQ(driver().list_records({.kind = RecordKind::dead_letter}).value().size(), 0u);
    ASSERT_EQ(driver().last_event(), 0u);
    ASSERT_EQ(driver().read_state("s").value(), StateSnapshot());
    ASSERT_FALSE(driver().find_cached(full.cached[0].key));
  }
  EXPECT_GT(refused, 10);
  EXPECT_EQ(fatal_, 0);
  EXPECT_EQ(driver().read_journal(run_number(1)).value().at(1).data, full.events[0].data);
  EXPECT_EQ(driver().last_event(), 1u);
  EXPECT_EQ(driver().read_state("s").value().version, 1u);
  EXPECT_EQ(driver().collect_garbage(Timestamp(), Timestamp(2)), 0u) << "the reference was counted";

  EXPECT_EQ(shell("SELECT refs FROM blobs; PRAGMA integrity_check"), "1\nok\n");
}

TEST_P(SqliteRefusedWrite, OfWhateverKindIsAnsweredAsUnavailable) {
  disk_.fail_writes(GetParam());
  const Record record{.kind = RecordKind::approval, .id = "r", .run = {}, .at = Timestamp(1), .data = "{}"};
  EXPECT_EQ(driver().put_record(record).error().code, "unavailable");
  EXPECT_EQ(driver().put_blob(sha256_hex("x"), "x", Timestamp(1)).error().code, "unavailable");
  const StateOutcome written = driver().write_state("s", state_write("k", "1"));
  ASSERT_FALSE(written);
  EXPECT_EQ(std::get<Error>(written.error()).code, "unavailable");
  bool answered = false;
  store_->append_events({topic_event("a", "1")}, [&](Result<std::vector<Appended>> appended) {
    EXPECT_EQ(appended.error().code, "unavailable");
    answered = true;
  });
  loop_.run_until([&] { return answered; });

  disk_.fail_writes(0);
  EXPECT_TRUE(driver().put_record(record));
  EXPECT_TRUE(driver().put_blob(sha256_hex("x"), "x", Timestamp(1)));
  EXPECT_EQ(driver().write_state("s", state_write("k", "1")), 1u);
  EXPECT_EQ(driver().last_event(), 0u);
}

TEST_F(SqliteFault, ABlobThatFindsNoSpaceLeavesTheCommitsAroundItAlone) {
  std::vector<bool> committed;
  const auto note = [&](const CommitOutcome& outcome) { committed.push_back(is_committed(outcome)); };
  std::optional<Result<void>> put;
  // Enough for the commits, too little for the blob.
  disk_.fail_writes_after(40, SQLITE_FULL);
  const std::string content = unlike_text(8 << 20, 1);
  store_->put_blob(sha256_hex(content), content, Timestamp(1), [&](Result<void> result) { put = result; });
  for (std::uint64_t n = 10; n < 20; ++n) store_->commit(start_of(run_number(n)), note);
  loop_.run_until([&] { return put.has_value() && committed.size() == 10; });
  EXPECT_EQ(put->error().code, "unavailable");
  disk_.fail_writes(0);
  EXPECT_EQ(driver().get_blob(sha256_hex(content)).error().code, "not_found");
  EXPECT_TRUE(is_committed(driver().commit(append_to(run_number(1), 1))));
  EXPECT_EQ(fatal_, 0);
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
  loop_.run_until([&] { return fatal_ > 0; });
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
  for (std::uint64_t version = 1; version <= 100; ++version) {
    const std::string data = '"' + unlike_text(100'000, version) + '"';
    ASSERT_TRUE(is_committed(driver().commit(append_to(run_number(1), version, data))));
  }
  disk_.fail_checkpoint_writes(0);
  ASSERT_TRUE(is_committed(driver().commit(append_to(run_number(1), 101))));
  EXPECT_EQ(fatal_, 0);
  EXPECT_EQ(shell("SELECT count(*) FROM journal; PRAGMA integrity_check"), "102\nok\n");
}

TEST_F(SqliteFault, ABitThatFlipsInTheLogOfAnOpenStoreIsNotMovedIntoTheFile) {
  std::uint64_t version = 1;
  const auto data = [&] { return '"' + unlike_text(100'000, version) + '"'; };
  ASSERT_TRUE(is_committed(driver().commit(append_to(run_number(1), version, data()))));
  ++version;
  // A page full of what was just written, some frames before the log's end.
  const std::string log = file_.path().string() + "-wal";
  disk_.flip(log, (disk_.image().at(log).size() - 5 * (24 + 4096) - 2000) * 8);
  bool answered = true;
  while (answered) {
    answered = false;
    store_->commit(append_to(run_number(1), version, data()), [&](CommitOutcome outcome) {
      EXPECT_TRUE(is_committed(outcome));
      answered = true;
    });
    loop_.run_until([&] { return answered || fatal_ > 0; });
    version += answered ? 1 : 0;
    ASSERT_LT(version, 1000u);
  }
  EXPECT_EQ(fatal_, 1);
  EXPECT_GT(version, 10u);

  disk_.die();
  store_.reset();
  disk_.heal();
  Options options = file_.options(loop_);
  options.vfs = FaultyVfs::kName;
  const auto opened = Store::open(std::move(options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "store_corrupt");
}

TEST(SqliteFullDisk, ARealFileSystemWithoutSpaceIsAnsweredAndRecoveredFrom) {
  StoreFile file;
  // A mount of this process alone, so that nothing is left behind.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", file.folder().c_str(), "tmpfs", 0, "size=6m") != 0) {
    GTEST_SKIP() << "mounting a small tmpfs is not permitted here";
  }
  TestLoop loop;
  const auto data = [](std::uint64_t version) { return '"' + unlike_text(50'000, version) + '"'; };
  const std::filesystem::path ballast = file.folder() / "ballast";
  {
    const auto store = file.open(loop).value();
    EXPECT_EQ(store->weaker_promises().size(), 1u) << "a file system in memory promises less";
    StoreDriver driver(loop, *store);
    ASSERT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
    std::ofstream(ballast) << std::string(4 << 20, 'x');
    std::uint64_t version = 1;
    while (is_committed(driver.commit(append_to(run_number(1), version, data(version))))) ++version;
    EXPECT_TRUE(is_unavailable(driver.commit(append_to(run_number(1), version, data(version)))));
    EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), version);

    std::filesystem::remove(ballast);
    EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), version, data(version)))));
    EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), version + 1);
  }
  EXPECT_EQ(file.shell("PRAGMA integrity_check"), "ok\n");
  EXPECT_EQ(::umount2(file.folder().c_str(), MNT_DETACH), 0);
}

}  // namespace
}  // namespace ganglion::sqlite

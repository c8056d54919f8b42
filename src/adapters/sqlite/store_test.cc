#include "adapters/sqlite/store.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/testing/store_file.h"
#include "base/sha256.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::end_of;
using ganglion::testing::is_committed;
using ganglion::testing::laden;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using ganglion::testing::unlike_text;
using testing::ChildProcess;
using ::testing::HasSubstr;
using testing::StoreFile;

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

TEST(SqliteStore, WhatWasCommittedIsThereAfterOpeningAgain) {
  StoreFile file;
  TestLoop loop;
  {
    const auto store = file.open(loop).value();
    StoreDriver driver(loop, *store);
    EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1), 2))));
    EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(2)))));
    EXPECT_TRUE(is_committed(driver.commit(end_of(run_number(2), 1))));
    EXPECT_TRUE(driver.put_definition("d1", "source"));
    EXPECT_TRUE(driver.put_setting("project", "d1"));
    EXPECT_TRUE(is_committed(driver.commit(laden(append_to(run_number(1), 2, unlike_text(9000, 1)), 7))));
    EXPECT_TRUE(driver.put_blob(sha256_hex("blob 7"), "blob 7", Timestamp(1)));
  }
  const auto store = file.open(loop).value();
  StoreDriver driver(loop, *store);
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 3u);
  EXPECT_EQ(driver.read_journal(run_number(1), 2).value().at(0).data, unlike_text(9000, 1));
  EXPECT_TRUE(driver.find_record(RecordKind::dead_letter, "7"));
  EXPECT_EQ(driver.read_events({}).at(0).id, "7");
  EXPECT_EQ(driver.read_state("s").value().entries.size(), 2u);
  EXPECT_TRUE(driver.find_cached(sha256_hex("7")));
  EXPECT_EQ(driver.collect_garbage(Timestamp(), Timestamp(2)), 0u);
  EXPECT_EQ(driver.get_blob(sha256_hex("blob 7")), "blob 7");
  ASSERT_EQ(driver.read_open_runs().size(), 1u);
  EXPECT_EQ(driver.list_runs({}).size(), 2u);
  EXPECT_EQ(driver.get_definition("d1"), "source");
  EXPECT_EQ(driver.get_setting("project"), "d1");
  EXPECT_EQ(driver.last_time(), Timestamp(1'700'000'000'003));
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 3))));
  EXPECT_FALSE(is_committed(driver.commit(append_to(run_number(2), 1))));
}

TEST(SqliteStore, TheLastTimeSurvivesEvenIfOlderEventsCameAfterIt) {
  StoreFile file;
  TestLoop loop;
  {
    const auto store = file.open(loop).value();
    StoreDriver driver(loop, *store);
    for (const std::int64_t at : {900, 100}) {
      Commit start = start_of(run_number(static_cast<std::uint64_t>(at)));
      start.events[0].at = Timestamp(at);
      EXPECT_TRUE(is_committed(driver.commit(std::move(start))));
    }
  }
  const auto store = file.open(loop).value();
  EXPECT_EQ(StoreDriver(loop, *store).last_time(), Timestamp(900));
}

TEST(SqliteStore, AnOutboxThatWasTurnedOnStaysOn) {
  StoreFile file;
  TestLoop loop;
  EXPECT_TRUE(StoreDriver(loop, *file.open(loop).value()).turn_outbox_on());
  for (std::uint64_t n = 1; n <= 2; ++n) {
    const auto store = file.open(loop).value();
    StoreDriver driver(loop, *store);
    EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(n)))));
    EXPECT_EQ(driver.count_outbox(), n);
  }
}

TEST(SqliteStore, ClosingWritesWhatWasCommittedBefore) {
  StoreFile file;
  TestLoop loop;
  {
    const auto store = file.open(loop).value();
    for (std::uint64_t n = 1; n <= 3000; ++n) store->commit(start_of(run_number(n)), [](CommitOutcome) {});
  }
  EXPECT_EQ(file.shell("SELECT count(*) FROM journal"), "3000\n");
}

TEST(SqliteStore, OnlyTheOwnerMayReadTheFiles) {
  StoreFile file;
  TestLoop loop;
  auto options = file.options(loop);
  options.path = file.folder() / "new" / "folder" / "ganglion.db";
  const auto store = Store::open(options).value();
  StoreDriver driver(loop, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  EXPECT_EQ(mode_of(options.path), 0600u);
  EXPECT_EQ(mode_of(options.path.string() + "-wal"), 0600u);
  EXPECT_EQ(mode_of(options.path.string() + "-seal"), 0600u);
  EXPECT_EQ(mode_of(options.path.string() + ".lock"), 0600u);
  EXPECT_EQ(mode_of(options.path.parent_path()), 0700u);
}

TEST(SqliteStore, ASecondStoreInOneProcessIsRefused) {
  StoreFile file;
  TestLoop loop;
  const auto first = file.open(loop).value();
  const auto second = file.open(loop);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "store_locked");
}

TEST(SqliteStore, ASecondProcessIsRefusedAndToldWhoHoldsTheStore) {
  StoreFile file;
  TestLoop loop;
  auto store = file.open(loop).value();
  ASSERT_TRUE(store->publish_endpoint("http://127.0.0.1:7420"));
  ChildProcess second({GANGLION_STORE_CHILD, "open", file.path().string()});
  EXPECT_THAT(second.read_line(), ::testing::AllOf(HasSubstr("store_locked: "),
                                                   HasSubstr("process " + std::to_string(::getpid())),
                                                   HasSubstr("http://127.0.0.1:7420")));
  EXPECT_EQ(second.wait(), 1);

  store.reset();
  ChildProcess third({GANGLION_STORE_CHILD, "open", file.path().string()});
  EXPECT_EQ(third.read_line(), "open");
  EXPECT_EQ(third.wait(), 0);
}

TEST(SqliteStore, TheEndpointIsKnownAsLongAsItsServerLives) {
  StoreFile file;
  EXPECT_EQ(endpoint_of(file.path()), std::nullopt);
  ChildProcess server({GANGLION_STORE_CHILD, "hold", file.path().string()});
  ASSERT_EQ(server.read_line(), "open");
  EXPECT_EQ(endpoint_of(file.path()), "http://127.0.0.1:7420");

  server.kill();
  server.wait();
  EXPECT_EQ(endpoint_of(file.path()), std::nullopt);
  TestLoop loop;
  auto store = file.open(loop).value();
  EXPECT_EQ(endpoint_of(file.path()), std::nullopt)
      << "what a dead server has published is nobody's endpoint";
  ASSERT_TRUE(store->publish_endpoint("http://127.0.0.1:7421"));
  EXPECT_EQ(endpoint_of(file.path()), "http://127.0.0.1:7421");
  store.reset();
  EXPECT_FALSE(std::filesystem::exists(file.path().string() + ".endpoint"));
}

TEST(SqliteStore, TheShellIsKeptOutWhileTheStoreIsOpen) {
  StoreFile file;
  TestLoop loop;
  const auto store = file.open(loop).value();
  EXPECT_THAT(file.shell("SELECT count(*) FROM runs"), HasSubstr("locked"));
}

TEST(SqliteStore, AFileThatAnotherProgramIsWritingIsRefused) {
  StoreFile file;
  TestLoop loop;
  file.open(loop).value().reset();
  Database shell = Database::open(file.path().string(), {}).value();
  ASSERT_TRUE(shell.execute("BEGIN IMMEDIATE"));
  const auto store = file.open(loop);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_locked");
  EXPECT_THAT(store.error().message, HasSubstr("another program"));
}

TEST(SqliteStore, AFileThatIsNoDatabaseIsRefusedWithAWayOut) {
  StoreFile file;
  TestLoop loop;
  std::ofstream(file.path()) << std::string(8192, 'x');
  const auto store = file.open(loop);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_corrupt");
  EXPECT_THAT(store.error().message, HasSubstr(".dump"));
}

TEST(SqliteStore, ADamagedSchemaIsRefusedWithAWayOut) {
  StoreFile file;
  TestLoop loop;
  file.open(loop).value().reset();
  {
    std::fstream damaged(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekp(100);  // the first page's header, behind the file's own
    damaged << std::string(1000, '\xff');
  }
  const auto store = file.open(loop);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_corrupt");
}

// A store with something in every table.
void fill(StoreDriver driver) {
  for (std::uint64_t n = 1; n <= 100; ++n) {
    Commit start = laden(start_of(run_number(n), 5), n);
    start.create->labels = {{"team", "blue"}};
    start.events[0].data = unlike_text(n % 10 == 0 ? 20'000 : 500, n);
    EXPECT_TRUE(is_committed(driver.commit(std::move(start))));
    const std::string blob = "blob " + std::to_string(n);
    EXPECT_TRUE(driver.put_blob(sha256_hex(blob), blob, Timestamp(1)));
  }
}

// Whether a reading of everything met an error.
bool reading_fails(Store& store, TestLoop& loop) {
  bool failed = false;
  int open = 6;
  const auto note = [&](const auto& answer) {
    failed = failed || !answer;
    --open;
  };
  store.list_runs({}, note);
  store.read_open_runs({}, 1000, note);
  store.list_records({.kind = RecordKind::dead_letter}, note);
  store.read_events({.pattern = "orders.*"}, note);
  store.read_state("s", {}, note);
  store.get_blob(sha256_hex("blob 50"), note);
  loop.run_until([&] { return open == 0; });
  return failed;
}

// Whatever one damaged place of the file does, reading says so or reads what was written, and never crashes.
TEST(SqliteStore, DamageAnywhereIsAnErrorAndNeverACrash) {
  StoreFile file;
  TestLoop loop;
  fill(StoreDriver(loop, *file.open(loop).value()));
  const std::filesystem::path whole = file.folder() / "whole.db";
  std::filesystem::copy_file(file.path(), whole);
  ASSERT_FALSE(reading_fails(*file.open(loop).value(), loop));
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::filesystem::copy_file(whole, file.path(), std::filesystem::copy_options::overwrite_existing);
    const auto size = static_cast<int>(std::filesystem::file_size(whole));
    {
      std::fstream damaged(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      // A flipped byte, or a sector of garbage.
      const int length = round % 2 == 0 ? 1 : 512;
      damaged.seekp(std::uniform_int_distribution(0, size - length)(random));
      for (int i = 0; i < length; ++i) damaged.put(static_cast<char>(random()));
    }
    const auto store = file.open(loop);
    refused += !store || reading_fails(**store, loop) ? 1 : 0;
  }
  EXPECT_GT(refused, 10);
}

TEST(SqliteStore, AFolderThatCannotBeMadeIsAnError) {
  StoreFile file;
  TestLoop loop;
  std::ofstream(file.folder() / "plain") << "x";
  auto options = file.options(loop);
  options.path = file.folder() / "plain" / "ganglion.db";
  const auto store = Store::open(options);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_unavailable");
}

TEST(SqliteStore, TheLogStaysBoundedHoweverMuchIsWritten) {
  StoreFile file;
  TestLoop loop;
  const auto store = file.open(loop).value();
  std::size_t done = 0;
  std::uintmax_t largest = 0;
  for (std::uint64_t n = 1; n <= 40; ++n) {
    for (std::uint64_t i = 0; i < 10; ++i) {
      Commit start = start_of(run_number(n * 10 + i));
      start.events[0].data = '"' + unlike_text(100'000, n * 10 + i) + '"';
      store->commit(std::move(start),
                    [&done](CommitOutcome outcome) { done += is_committed(outcome) ? 1 : 0; });
    }
    loop.run_until([&] { return done == n * 10; });
    largest = std::max(largest, std::filesystem::file_size(file.path().string() + "-wal"));
  }
  // 40 MB in groups of at most 1 MB: the threshold of 4 MiB and a group or two above it.
  EXPECT_LT(largest, 8u << 20);
}

}  // namespace
}  // namespace ganglion::sqlite

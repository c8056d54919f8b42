#include "adapters/sqlite/checked_vfs.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/testing/store_file.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using ganglion::testing::unlike_text;
using testing::ChildProcess;
using ::testing::HasSubstr;
using testing::StoreFile;

constexpr std::uint64_t kRuns = 200;

class CheckedVfs : public ::testing::Test {
 protected:
  void fill() {
    const auto store = file_.open(loop_).value();
    StoreDriver driver(loop_, *store);
    for (std::uint64_t n = 1; n <= kRuns; ++n) {
      Commit start = start_of(run_number(n));
      start.events[0].data = unlike_text(3000, n);
      ASSERT_TRUE(is_committed(driver.commit(std::move(start))));
    }
  }

  // Does what the error of a damaged file says, and puts the result in the file's place.
  void save_what_is_readable() {
    const std::string message =
        open_error(file_.path().string(), DatabaseError::corruption("by the test")).message;
    const std::size_t command = message.find("{ sqlite3 ");
    ASSERT_NE(command, std::string::npos) << message;
    ChildProcess shell({"sh", "-c", message.substr(command)});
    for (const std::string& line : shell.read_rest()) ADD_FAILURE() << line;
    ASSERT_EQ(shell.wait(), 0);
    std::filesystem::rename(file_.path().string() + "-saved", file_.path());
  }

  void flip_byte(const std::filesystem::path& path, std::streamoff at) {
    std::fstream damaged(path, std::ios::in | std::ios::out | std::ios::binary);
    damaged.seekg(at);
    const int byte = damaged.get();
    damaged.seekp(at);
    damaged.put(static_cast<char>(byte ^ 1));
  }

  int reserved_bytes() {
    std::ifstream file(file_.path(), std::ios::binary);
    file.seekg(20);
    return file.get();
  }

  void expect_everything() {
    const auto store = file_.open(loop_);
    ASSERT_TRUE(store) << store.error().message;
    StoreDriver driver(loop_, **store);
    for (std::uint64_t n = 1; n <= kRuns; ++n)
      ASSERT_EQ(driver.read_journal(run_number(n)).value().at(0).data, unlike_text(3000, n));
    ASSERT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
  }

  StoreFile file_;
  TestLoop loop_;
};

TEST_F(CheckedVfs, APageThatHoldsOtherBytesIsDamageThatNamesTheWayOn) {
  fill();
  const auto page = static_cast<std::streamoff>(std::filesystem::file_size(file_.path()) / 2);
  flip_byte(file_.path(), page);
  const auto store = file_.open(loop_).value();
  StoreDriver driver(loop_, *store);
  std::uint64_t damaged = 0;
  for (std::uint64_t n = 1; n <= kRuns; ++n) {
    const auto journal = driver.read_journal(run_number(n));
    if (journal) {
      ASSERT_EQ(journal->at(0).data, unlike_text(3000, n));
      continue;
    }
    ++damaged;
    EXPECT_EQ(journal.error().code, "store_corrupt");
    EXPECT_THAT(journal.error().message, HasSubstr("backup"));
  }
  EXPECT_GE(damaged, 1u);
  EXPECT_LE(damaged, 2u) << "the rows of one page";
}

TEST_F(CheckedVfs, WhatTheErrorsCommandSavesOfADamagedFileOpensAndHasChecksAgain) {
  fill();
  ASSERT_NO_FATAL_FAILURE(save_what_is_readable());
  EXPECT_EQ(reserved_bytes(), 0);
  expect_everything();
  EXPECT_EQ(reserved_bytes(), 8);
  struct stat status{};
  ASSERT_EQ(::stat(file_.path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(file_.folder()))
    files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 2u) << "the file and its lock; nothing of the rewriting is left";
}

TEST_F(CheckedVfs, WhatIsBehindAnUnreadablePageIsSavedAsWell) {
  fill();
  std::fstream damaged(file_.path(), std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file_.path()) / 2));
  damaged << std::string(64, '\xff');
  damaged.close();
  ASSERT_NO_FATAL_FAILURE(save_what_is_readable());
  const auto store = file_.open(loop_);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_GT(StoreDriver(loop_, **store).list_runs({}).size(), 0u);
}

TEST_F(CheckedVfs, ARewritingThatADeathHasInterruptedStartsAgain) {
  fill();
  ASSERT_NO_FATAL_FAILURE(save_what_is_readable());
  // Half of a copy, and the file as it was before it.
  std::ofstream(file_.path().string() + "-rewritten") << std::string(100'000, 'x');
  expect_everything();
  EXPECT_FALSE(std::filesystem::exists(file_.path().string() + "-rewritten"));
}

TEST_F(CheckedVfs, AFileThatTheShellHasBuiltAnewOpens) {
  fill();
  EXPECT_EQ(file_.shell("VACUUM"), "");
  expect_everything();
}

// The shell moves the log of the dead process into the file, without writing checks.
TEST_F(CheckedVfs, AKilledStoreThatTheShellHasLookedAtOpens) {
  ChildProcess writer({GANGLION_STORE_CHILD, "commit", file_.path().string(), "1"});
  ASSERT_EQ(writer.read_line(), "open");
  for (int i = 0; i < 300; ++i) ASSERT_NE(writer.read_line(), "");
  writer.kill();
  writer.wait();
  ASSERT_TRUE(std::filesystem::exists(file_.path().string() + "-wal"));
  const std::string rows = file_.shell("SELECT count(*) FROM journal");
  ASSERT_FALSE(std::filesystem::exists(file_.path().string() + "-wal"));

  const auto store = file_.open(loop_);
  ASSERT_TRUE(store) << store.error().message;
  StoreDriver driver(loop_, **store);
  std::size_t read = 0;
  for (const RunId& run : driver.list_runs({})) read += driver.read_journal(run, 0, 100'000).value().size();
  EXPECT_EQ(std::to_string(read) + "\n", rows);
}

TEST_F(CheckedVfs, ALogOfAKilledStoreInWhichAByteIsWrongIsRefusedAndLeftAsItIs) {
  ChildProcess writer({GANGLION_STORE_CHILD, "commit", file_.path().string(), "1"});
  ASSERT_EQ(writer.read_line(), "open");
  for (int i = 0; i < 300; ++i) ASSERT_NE(writer.read_line(), "");
  writer.kill();
  writer.wait();
  const std::filesystem::path log = file_.path().string() + "-wal";
  flip_byte(log, 32 + 24 + 100);  // in the page of the first frame
  const auto size = std::filesystem::file_size(log);
  for (int tries = 0; tries < 2; ++tries) {
    const auto store = file_.open(loop_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, "store_corrupt");
    EXPECT_THAT(store.error().message, HasSubstr("backup"));
  }
  EXPECT_EQ(std::filesystem::file_size(log), size);
  flip_byte(log, 32 + 24 + 100);
  EXPECT_TRUE(file_.open(loop_));
}

TEST_F(CheckedVfs, ACleanEndLeavesNoLogAndNoSeal) {
  fill();
  EXPECT_FALSE(std::filesystem::exists(file_.path().string() + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(file_.path().string() + "-seal"));
}

}  // namespace
}  // namespace ganglion::sqlite

#include "adapters/sqlite/piece_table.h"

#include <gtest/gtest.h>

#include <random>

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
using testing::StoreFile;

class Pieces : public ::testing::Test {
 protected:
  // Run 1 with one event of this data, in a file that is closed.
  void write(const std::string& data) {
    const auto store = file_.open(loop_).value();
    Commit start = start_of(run_number(1));
    start.events[0].data = data;
    EXPECT_TRUE(is_committed(StoreDriver(loop_, *store).commit(std::move(start))));
  }

  Result<std::vector<JournalEntry>> read() {
    const auto store = file_.open(loop_).value();
    return StoreDriver(loop_, *store).read_journal(run_number(1));
  }

  StoreFile file_;
  TestLoop loop_;
};

TEST_F(Pieces, OnlyLargeRowsAreCut) {
  write(unlike_text(kMaxInlineText, 1));
  EXPECT_EQ(file_.shell("SELECT count(*) FROM pieces; SELECT pieces IS NULL FROM journal"), "0\n1\n");
}

TEST_F(Pieces, ALargeRowComesBackAsItWas) {
  const std::string data = unlike_text(kMaxInlineText + 1, 1);
  write(data);
  EXPECT_EQ(file_.shell("SELECT count(*) > 1 FROM pieces; SELECT data FROM journal"), "1\n\n");
  EXPECT_EQ(read().value().at(0).data, data);
}

TEST_F(Pieces, AConversationCostsWhatIsNewInEachStep) {
  constexpr std::uint64_t kSteps = 200;
  {
    const auto store = file_.open(loop_).value();
    StoreDriver driver(loop_, *store);
    ASSERT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
    std::string messages = "\"";
    for (std::uint64_t step = 1; step <= kSteps; ++step) {
      messages += unlike_text(300, step);
      ASSERT_TRUE(is_committed(driver.commit(append_to(run_number(1), step, messages))));
    }
    const auto journal = driver.read_journal(run_number(1)).value();
    EXPECT_EQ(journal.back().data, messages);
    EXPECT_EQ(journal[50].data, messages.substr(0, 1 + 50 * 300));
  }
  // 200 steps hold 6 MB of data together. Each adds a piece or two at the end.
  EXPECT_LT(std::filesystem::file_size(file_.path()), 1'200'000u);
  EXPECT_EQ(file_.shell("SELECT max(length(pieces)) < 100 FROM journal"), "1\n");
}

TEST_F(Pieces, AMissingOrAlteredPieceIsDamageAndNeverOtherData) {
  const std::string data = unlike_text(50'000, 1);
  for (const char* damage :
       {"DELETE FROM pieces WHERE id = 3", "UPDATE pieces SET bytes = x'00' WHERE id = 3",
        "UPDATE pieces SET bytes = (SELECT bytes FROM pieces WHERE id = 4) WHERE id = 3",
        "UPDATE journal SET pieces = x'ff'", "UPDATE journal SET pieces = x''",
        "UPDATE journal SET pieces = CAST(substr(pieces, 1, length(pieces) - 1) AS BLOB)",
        "UPDATE journal SET pieces = CAST(pieces || x'02' AS BLOB)",
        "UPDATE journal SET pieces = x'ffffffffffffffffff01'"}) {
    std::filesystem::remove(file_.path());
    write(data);
    ASSERT_TRUE(read());
    file_.change(damage);
    const auto journal = read();
    ASSERT_FALSE(journal) << damage;
    EXPECT_EQ(journal.error().code, "store_corrupt") << damage;
  }
}

TEST_F(Pieces, WhateverStandsInAListReadingEndsWithTheDataOrAnError) {
  const std::string data = unlike_text(20'000, 1);
  write(data);
  Database database = Database::open(file_.path().string(), {}).value();
  PieceTable pieces(database);
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string list(random() % 24, ' ');
    for (char& c : list) c = static_cast<char>(random() % 4 == 0 ? random() : random() % 6);
    const DatabaseResult<std::string> text = pieces.load(list);
    if (!text) {
      EXPECT_TRUE(text.error().is_corruption());
    }
  }
}

}  // namespace
}  // namespace ganglion::sqlite

// SIGKILL at random moments, with a real process and a real disk.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <map>
#include <random>
#include <sstream>

#include "adapters/sqlite/store.h"
#include "adapters/sqlite/testing/store_file.h"
#include "base/sha256.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::run_number;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using testing::ChildProcess;
using testing::StoreFile;

constexpr int kKills = 20;

// The seqs that were acknowledged, by run.
using Acknowledged = std::map<std::uint64_t, std::uint64_t>;

void note(Acknowledged& acknowledged, const std::string& line) {
  std::istringstream words(line);
  std::uint64_t run = 0;
  std::uint64_t version = 0;
  ASSERT_TRUE(words >> run >> version) << line;
  acknowledged[run] = std::max(acknowledged[run], version);
}

// Every commit with two events brought an event of the log, a record, a version of the session's state and a
// cached output.
void expect_what_came_with_journals(StoreDriver driver) {
  std::uint64_t laden = 0;
  RunQuery everything;
  everything.limit = 1'000'000;
  for (const RunId& run : driver.list_runs(everything))
    laden += driver.read_journal(run, 0, 1'000'000).value().size() / 3;
  ASSERT_EQ(driver.last_event(), laden);
  ASSERT_EQ(driver.read_state("s").value().version, laden);
  const RecordQuery records{.kind = RecordKind::dead_letter, .run = {}, .before = {}, .limit = 1'000'000};
  ASSERT_EQ(driver.list_records(records).value().size(), laden);
  if (laden == 0) return;
  const std::string last(driver.read_state("s").value().entries.at("last").value.bytes());
  ASSERT_EQ(driver.read_events({}).at(0).id, last);
  ASSERT_TRUE(driver.find_cached(sha256_hex(last)));
}

TEST(SqliteCrash, EveryAcknowledgedCommitIsThereAfterAKillAndNoneIsThereInPart) {
  StoreFile file;
  Acknowledged acknowledged;
  std::mt19937 random(20'260'101);
  for (int round = 0; round < kKills; ++round) {
    // When a process commits as fast as it can and dies after some hundred acknowledgements …
    ChildProcess writer({GANGLION_STORE_CHILD, "commit", file.path().string(), std::to_string(round)});
    ASSERT_EQ(writer.read_line(), "open");
    const unsigned lines = std::uniform_int_distribution(1u, 600u)(random);
    for (unsigned i = 0; i < lines; ++i) ASSERT_NO_FATAL_FAILURE(note(acknowledged, writer.read_line()));
    writer.kill();
    for (const std::string& line : writer.read_rest()) ASSERT_NO_FATAL_FAILURE(note(acknowledged, line));
    ASSERT_EQ(writer.wait(), -SIGKILL);

    // … then everything that it and those before it acknowledged is in the file.
    TestLoop loop;
    const auto store = file.open(loop);
    ASSERT_TRUE(store) << store.error().message;
    StoreDriver driver(loop, **store);
    for (const auto& [run, version] : acknowledged) {
      const auto journal = driver.read_journal(run_number(run), 0, 1'000'000);
      ASSERT_TRUE(journal) << "run " << run << " is lost";
      ASSERT_GE(journal->size(), version) << "run " << run;
      for (std::size_t i = 0; i < journal->size(); ++i) ASSERT_EQ((*journal)[i].seq, i + 1);
      // Every commit that starts at a version of 1 modulo 3 has two events: the first alone would be half a
      // commit.
      ASSERT_NE(journal->size() % 3, 2u) << "run " << run;
    }
    // It reads everything, so not every time.
    if (round % 5 == 4) ASSERT_NO_FATAL_FAILURE(expect_what_came_with_journals(driver));
  }
  EXPECT_EQ(file.shell("PRAGMA integrity_check"), "ok\n");
}

}  // namespace
}  // namespace ganglion::sqlite

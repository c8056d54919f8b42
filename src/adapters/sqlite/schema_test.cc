#include "adapters/sqlite/schema.h"

#include <gtest/gtest.h>

#include <array>

#include "adapters/sqlite/checked_vfs.h"
#include "adapters/sqlite/testing/store_file.h"

namespace ganglion::sqlite {
namespace {

using ganglion::testing::end_of;
using ganglion::testing::is_committed;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using ganglion::testing::TestLoop;
using testing::StoreFile;

// What a later version might do: one more column, filled from what is there.
constexpr const char* kLaterStep =
    "ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;"
    "UPDATE runs SET priority = 7 WHERE workflow = 'code-review'";
constexpr const char* kBrokenStep =
    "ALTER TABLE runs ADD COLUMN lost INTEGER; INSERT INTO no_such_table VALUES(1)";

class SchemaTest : public ::testing::Test {
 protected:
  // A file of the newest version with one run in it.
  SchemaTest() {
    const auto store = file_.open(loop_).value();
    StoreDriver driver(loop_, *store);
    EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  }

  Result<void> migrate_with(std::initializer_list<const char*> later_steps) {
    std::vector<const char*> steps(migrations().begin(), migrations().end());
    steps.insert(steps.end(), later_steps);
    Database database = open_checked(file_.path().string(), {}).value();
    EXPECT_TRUE(database.execute("PRAGMA locking_mode=EXCLUSIVE"));
    return migrate(database, steps);
  }

  StoreFile file_;
  TestLoop loop_;
};

// What version 1 wrote: a run with two events, and another that has ended.
constexpr const char* kRowsOfVersion1 =
    "INSERT INTO runs VALUES(1, '01HF7YAT0000000000000000A1', 'code-review', 'd1', 'running', 'case 7', "
    "'{\"team\":\"blue\"}', 1700000000000, NULL);"
    "INSERT INTO runs VALUES(2, '01HF7YAT0000000000000000B2', 'other', 'd1', 'completed', NULL, '{}', "
    "1700000000000, 1700000000009);"
    "INSERT INTO run_labels VALUES('team', 'blue', '01HF7YAT0000000000000000A1');"
    "INSERT INTO journal VALUES(1, 1, 1700000000001, 'run_started', NULL, NULL, NULL, '{\"input\":1}');"
    "INSERT INTO journal VALUES(1, 2, 1700000000002, 'task_scheduled', 'review', 3, 1, '{}');"
    "INSERT INTO journal VALUES(2, 1, 1700000000003, 'run_started', NULL, NULL, NULL, '{}');"
    "INSERT INTO idempotency VALUES('key', '01HF7YAT0000000000000000A1', 'body');"
    "INSERT INTO definitions VALUES('d1', 'source');"
    "INSERT INTO settings VALUES('project', 'd1')";

TEST(Schema, AFileOfVersionOneOpensWithAllThatItHeldAndGoesOn) {
  StoreFile file;
  TestLoop loop;
  file.shell("VACUUM");  // makes the file
  {
    Database database = Database::open(file.path().string(), {}).value();
    ASSERT_TRUE(migrate(database, migrations().first(1)));
    ASSERT_TRUE(database.execute(kRowsOfVersion1));
  }
  ASSERT_EQ(file.shell("PRAGMA user_version"), "1\n");
  const RunId run = RunId::parse("01HF7YAT0000000000000000A1").value();
  const auto store = file.open(loop).value();
  StoreDriver driver(loop, *store);
  const RunRecord expected{.id = run,
                           .workflow = "code-review",
                           .definition = "d1",
                           .status = "running",
                           .session_id = "case 7",
                           .labels = {{"team", "blue"}},
                           .created_at = Timestamp(1'700'000'000'000),
                           .ended_at = std::nullopt};
  EXPECT_EQ(driver.find_run(run).value(), expected);
  const auto journal = driver.read_journal(run).value();
  ASSERT_EQ(journal.size(), 2u);
  EXPECT_EQ(journal[0].data, "{\"input\":1}");
  EXPECT_EQ(journal[1].step, "review");
  EXPECT_EQ(driver.list_runs({}).size(), 2u);
  EXPECT_EQ(driver.get_setting("project"), "d1");
  EXPECT_EQ(driver.last_time(), Timestamp(1'700'000'000'003));

  Commit next = ganglion::testing::laden(ganglion::testing::append_to(run, 2, std::string(10'000, 'x')), 1);
  EXPECT_TRUE(is_committed(driver.commit(std::move(next))));
  EXPECT_TRUE(is_committed(driver.commit(ganglion::testing::fork_of(run, 2, run_number(9)))));
  EXPECT_EQ(driver.read_journal(run_number(9)).value().size(), 3u);
}

TEST_F(SchemaTest, AFileOfAnOlderVersionIsBroughtToTheNewestWithItsData) {
  ASSERT_TRUE(migrate_with({kLaterStep}));
  EXPECT_EQ(file_.shell("PRAGMA user_version"), std::to_string(migrations().size() + 1) + "\n");
  EXPECT_EQ(file_.shell("SELECT id, priority FROM runs"), run_number(1).text() + "|7\n");
  EXPECT_TRUE(migrate_with({kLaterStep})) << "a second time changes nothing";
}

TEST_F(SchemaTest, AMigrationThatFailsLeavesTheFileAsItWas) {
  const Result<void> migrated = migrate_with({kLaterStep, kBrokenStep});
  ASSERT_FALSE(migrated);
  EXPECT_EQ(migrated.error().code, "store_unavailable");
  // The step before the broken one is done and stays; of the broken one there is nothing.
  EXPECT_EQ(file_.shell("PRAGMA user_version"), std::to_string(migrations().size() + 1) + "\n");
  EXPECT_EQ(file_.shell("SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'lost'"), "0\n");
}

TEST_F(SchemaTest, AFileOfANewerVersionIsRefused) {
  file_.change("PRAGMA user_version=999");
  const auto store = file_.open(loop_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_incompatible");
  EXPECT_NE(store.error().message.find("newer Ganglion (schema version 999"), std::string::npos);
  EXPECT_EQ(file_.shell("SELECT count(*) FROM runs"), "1\n");
}

TEST_F(SchemaTest, ASchemaInWhichALetterHasFlippedIsDamage) {
  file_.change(
      "PRAGMA writable_schema=ON;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'definition', 'definitiom') WHERE name = 'runs'");
  const auto store = file_.open(loop_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_corrupt");
}

TEST_F(SchemaTest, AnIndexThatSomebodyHasAddedIsNoHarm) {
  file_.change("CREATE INDEX mine ON journal(type)");
  EXPECT_TRUE(file_.open(loop_));
}

TEST_F(SchemaTest, AFileThatAnotherProgramHasWrittenToIsRefusedAndToldSo) {
  file_.shell("CREATE INDEX mine ON journal(type)");
  const auto store = file_.open(loop_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_corrupt");
  EXPECT_NE(store.error().message.find("another program"), std::string::npos) << store.error().message;
}

TEST(Schema, ADatabaseOfAnotherProgramIsRefusedAndNotTouched) {
  StoreFile file;
  TestLoop loop;
  file.shell("CREATE TABLE bookmarks(url TEXT); INSERT INTO bookmarks VALUES('x')");
  const auto store = file.open(loop);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, "store_incompatible");
  EXPECT_EQ(file.shell("SELECT name FROM sqlite_schema"), "bookmarks\n");
}

TEST(Schema, TheShellShowsAJournalThatAPersonCanRead) {
  StoreFile file;
  TestLoop loop;
  {
    const auto store = file.open(loop).value();
    StoreDriver driver(loop, *store);
    Commit start = start_of(run_number(1));
    start.create->labels = {{"team", "blue"}};
    start.events[0].data = R"({"output":{"ok":true}})";
    EXPECT_TRUE(is_committed(driver.commit(std::move(start))));
    EXPECT_TRUE(is_committed(driver.commit(end_of(run_number(1), 1))));
  }
  EXPECT_EQ(file.shell("SELECT * FROM journal_readable WHERE seq = 1"),
            run_number(1).text() +
                "|1|2023-11-14T22:13:20.001Z|task_completed|review|3|1|{\"output\":{\"ok\":true}}\n");
  EXPECT_EQ(file.shell("SELECT json_extract(data, '$.output.ok') FROM journal WHERE seq = 1"), "1\n");
  EXPECT_EQ(file.shell("SELECT status, json_extract(labels, '$.team') FROM runs"), "completed|blue\n");
  EXPECT_EQ(file.shell("PRAGMA integrity_check"), "ok\n");
}

TEST(Schema, ListingsAndOpenRunsAreReadFromAnIndexWithoutSorting) {
  StoreFile file;
  TestLoop loop;
  file.open(loop).value().reset();
  for (const char* query : {"SELECT * FROM runs WHERE ended_at IS NULL AND id > 'x' ORDER BY id",
                            "SELECT * FROM runs WHERE workflow = 'x' AND id < 'x' ORDER BY id DESC",
                            "SELECT * FROM runs WHERE session_id = 'x' AND id < 'x' ORDER BY id DESC",
                            "SELECT * FROM runs WHERE id < 'x' ORDER BY id DESC",
                            "SELECT * FROM runs WHERE parent = 'x' AND id < 'x' ORDER BY id DESC",
                            "SELECT * FROM events WHERE topic = 'x' AND seq < 9 ORDER BY seq DESC",
                            "SELECT * FROM records WHERE kind = 1 ORDER BY at DESC, id DESC",
                            "SELECT * FROM records WHERE kind = 1 AND run = 'x' ORDER BY at DESC, id DESC",
                            "SELECT id FROM blobs WHERE refs = 0 AND written_at < 9 ORDER BY written_at",
                            "SELECT at FROM journal ORDER BY rowid DESC LIMIT 1"}) {
    const std::string plan = file.shell(std::string("EXPLAIN QUERY PLAN ") + query);
    EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << query << "\n" << plan;
  }
}

}  // namespace
}  // namespace ganglion::sqlite

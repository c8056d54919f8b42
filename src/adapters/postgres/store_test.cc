// What PostgreSQL adds to the contract: opening, the schema, names with a byte 0, the audit.

#include "adapters/postgres/store.h"

#include <gmock/gmock.h>

#include <thread>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/url.h"
#include "adapters/postgres/writer.h"
#include "base/sha256.h"
#include "contract/store_driver.h"
#include "servers/postgres_server.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PostgresServer& server() {
  static PostgresServer server({.fsync = "off"});
  return server;
}

class PostgresStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed(PostgresServer::kProgram))
      GTEST_SKIP() << "Debian package postgresql-15 is not installed";
    schema_ = "store_" + std::to_string(++schemas_);
  }

  Result<std::unique_ptr<postgres::Store>> open(const std::string& url) {
    return postgres::Store::open(loop_.context(),
                                 {.url = url, .fatal = [](const std::string& why) { ADD_FAILURE() << why; }});
  }
  std::string url() { return server().url() + "?schema=" + schema_; }
  std::string query(const std::string& sql) {
    return server().query("SET search_path TO " + schema_ + "; " + sql);
  }

  TestLoop loop_;
  std::string schema_;

 private:
  static int schemas_;
};

int PostgresStore::schemas_ = 0;

TEST_F(PostgresStore, ANewerSchemaIsRefusedAndNotTouched) {
  ASSERT_TRUE(open(url()));
  query("INSERT INTO schema_version(version) VALUES(99)");
  const auto opened = open(url());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "store_incompatible");
  EXPECT_THAT(opened.error().message, HasSubstr("newer Ganglion"));
}

// By SQL: journals of `entries` entries of `bytes` bytes each.
std::string insert_open_runs(int runs, int entries, int bytes) {
  const std::string id = "lpad(to_hex(n), 32, '0')::uuid";
  const std::string numbers = "generate_series(1, " + std::to_string(runs) + ") n";
  return "INSERT INTO runs(id, workflow, definition, status, labels, created_at, usage) SELECT " + id +
         ", 'w', 'd', 'running', '{}', 0, '{}' FROM " + numbers +
         "; INSERT INTO journal(run, seq, at, type, data) SELECT " + id +
         ", s, 0, 't', convert_to(repeat('x', " + std::to_string(bytes) + "), 'UTF8') FROM " + numbers +
         ", generate_series(1, " + std::to_string(entries) + ") s";
}

TEST_F(PostgresStore, OpenRunsWithLongJournalsAreReadAFewAtATime) {
  const auto store = open(url()).value();
  query(insert_open_runs(5, 15'000, 10));
  StoreDriver driver(loop_, *store);
  std::vector<std::size_t> pages;
  std::optional<RunId> last;
  for (auto page = driver.read_open_runs(last); !page.empty(); page = driver.read_open_runs(last)) {
    pages.push_back(page.size());
    for (const OpenRun& run : page) EXPECT_EQ(run.journal.size(), 15'000u);
    last = page.back().record.id;
  }
  EXPECT_THAT(pages, ElementsAre(2u, 2u, 1u));
}

TEST_F(PostgresStore, AWriterThatWritesNothingIsNotTakenForOneThatHasEnded) {
  const auto store = open(url()).value();
  const Result<postgres::Address> address = postgres::parse_address(url());
  RunId::Bytes id;
  id.fill(7);
  const postgres::Writer writer(loop_.context(), *address,
                                {.id = id,
                                 .patience = std::chrono::seconds(10),
                                 .renewal = std::chrono::milliseconds(5),
                                 .fatal = [](const std::string& why) { ADD_FAILURE() << why; },
                                 .connected = [](const std::vector<std::string>&) {}});
  loop_.run_until([&] { return writer.statistics().groups >= 3; });
  EXPECT_EQ(query("SELECT at > (SELECT max(at) FROM schema_version) AND last_group >= 3 FROM writers WHERE "
                  "last_group > 0"),
            "t");
}

TEST_F(PostgresStore, EachHostOfTheUrlIsBegunWithOnce) {
  ASSERT_TRUE(postgres::load_pq());
  const auto address = postgres::parse_address("postgres://a:1,b:2,c:3/d").value();
  ASSERT_EQ(address.orders.size(), 3u);
  EXPECT_EQ(address.orders[0].host, "a,b,c");
  EXPECT_EQ(address.orders[2].host, "c,a,b");
  EXPECT_EQ(address.orders[2].port, "3,1,2");
  const auto one = postgres::parse_address("postgres://a:1/d").value();
  ASSERT_EQ(one.orders.size(), 1u);
  EXPECT_EQ(one.orders[0].host, "");
}

TEST_F(PostgresStore, TwoThatOpenANewSchemaAtOnceBothSucceed) {
  std::vector<std::thread> threads;
  std::vector<std::string> errors(4);
  for (std::string& error : errors) {
    threads.emplace_back([&] {
      TestLoop loop;
      const auto opened = postgres::Store::open(loop.context(), {.url = url(), .fatal = {}});
      if (!opened) error = opened.error().message;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(errors, ::testing::Each(""));
}

TEST_F(PostgresStore, ALeaseFromBeforeTheClockWasSetBackDoesNotLast) {
  const auto store = open(url()).value();
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(driver.turn_outbox_on());
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  query("UPDATE outbox SET due = now() + interval '1 day'");
  EXPECT_EQ(driver.take_from_outbox(), std::vector{run_number(1)});
  EXPECT_TRUE(driver.take_from_outbox().empty());
}

TEST_F(PostgresStore, AUrlThatCannotBeIsRefusedWithWhatToWrite) {
  EXPECT_EQ(open(server().url() + "?schema=Main").error().code, "invalid_store");
  EXPECT_EQ(open(server().url() + "?schema=a\"b").error().code, "invalid_store");
  EXPECT_EQ(open(server().url() + "?no_such_option=1").error().code, "invalid_store");
  EXPECT_EQ(open("postgres://ganglion@127.0.0.1:1/postgres").error().code, "store_unavailable");
}

TEST_F(PostgresStore, OptionsOfLibpqStandBesideTheSchema) {
  const std::string both = server().url() + "?application_name=mine&schema=" + schema_ + "&connect_timeout=5";
  const auto store = open(both).value();
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  EXPECT_EQ(query("SELECT count(*) FROM runs"), "1");
  EXPECT_EQ(query("SELECT count(*) > 1 FROM pg_stat_activity WHERE application_name = 'mine'"), "t");
}

TEST_F(PostgresStore, SaysWhatTheServerPromisesLess) {
  EXPECT_THAT(open(url()).value()->weaker_promises(), ElementsAre(HasSubstr("fsync is off")));
}

TEST_F(PostgresStore, NamesMayHaveTheByteZero) {
  const auto store = open(url()).value();
  StoreDriver driver(loop_, *store);
  const std::string odd(
      "a\0b\x01"
      "c",
      5);
  Commit start = start_of(run_number(1));
  start.create->labels = {{odd, odd}};
  start.create->session_id = odd;
  start.published = {topic_event("t", odd)};
  start.published[0].subject = odd;
  EXPECT_TRUE(is_committed(driver.commit(start)));
  EXPECT_EQ(driver.find_run(run_number(1)).value(), *start.create);
  RunQuery query;
  query.labels = {{odd, odd}};
  EXPECT_THAT(driver.list_runs(query), ElementsAre(run_number(1)));
  EXPECT_EQ(driver.read_events({}).at(0).subject, odd);
}

TEST_F(PostgresStore, TheJournalIsAnAuditThatIsOnlyAppendedTo) {
  const auto store = open(url()).value();
  StoreDriver driver(loop_, *store);
  const RunId run = run_number(7);
  Commit start = start_of(run, 2);
  start.events[0].data = R"({"price":12.5})";
  start.events[1].data = R"({"text":"\u0000"})";
  EXPECT_TRUE(is_committed(driver.commit(start)));
  EXPECT_EQ(query("SELECT data->>'price' FROM audit WHERE run = '" + run.text() + "' AND seq = 1"), "12.5");
  EXPECT_EQ(query("SELECT jsonb_typeof(data) FROM audit WHERE seq = 2"), "string");
  EXPECT_EQ(query("SELECT run FROM audit WHERE run_id = run_id('" + run.text() + "') AND seq = 1"),
            run.text());
  for (const char* change : {"UPDATE journal SET data = ''", "DELETE FROM journal", "TRUNCATE journal"})
    EXPECT_THAT(query(change), HasSubstr("the journal is append-only"));
}

TEST_F(PostgresStore, ARoleThatMayNotChangeTheJournalCanDoEverythingElse) {
  ASSERT_TRUE(open(url()));
  const std::string role = schema_ + "_role";
  query("CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + schema_ + " TO " + role +
        "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + schema_ + " TO " + role +
        "; REVOKE UPDATE, DELETE ON journal FROM " + role +
        "; REVOKE INSERT, UPDATE, DELETE ON schema_version FROM " + role);
  const auto store = open("postgres://" + role + "@127.0.0.1:" + std::to_string(server().port()) +
                          "/postgres?schema=" + schema_)
                         .value();
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(laden(start_of(run_number(1)), 1))));
  EXPECT_TRUE(is_committed(driver.commit(laden(append_to(run_number(1), 1), 1))));
  EXPECT_TRUE(driver.put_blob(sha256_hex("x"), "x", Timestamp(1)));
  EXPECT_EQ(driver.collect_garbage(Timestamp(), Timestamp(2)), 1u);
  EXPECT_EQ(driver.remove_records(RecordKind::dead_letter, {}), 1u);
  EXPECT_THAT(query("SET ROLE " + role + "; DELETE FROM journal"), HasSubstr("permission denied"));
}

TEST_F(PostgresStore, ABlobOfTheLargestSizeComesBack) {
  const auto store = open(url()).value();
  StoreDriver driver(loop_, *store);
  const std::string content = unlike_text(1 << 20, 1);
  std::string large;
  while (large.size() < kMaxBlob) large += content;
  large.resize(kMaxBlob);
  const std::string digest = sha256_hex(large);
  EXPECT_TRUE(driver.put_blob(digest, large, Timestamp(1)));
  EXPECT_TRUE(driver.get_blob(digest).value() == large);
}

}  // namespace
}  // namespace ganglion::testing

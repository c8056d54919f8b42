// The contract of ports/audit.h, and what PostgreSQL adds to it: a schema that refuses changes and gaps.

#include <gmock/gmock.h>

#include <chrono>
#include <limits>

#include "adapters/memory/audit.h"
#include "adapters/postgres/audit.h"
#include "base/asio/asio.h"
#include "contract/store_driver.h"
#include "servers/port_lease.h"
#include "servers/postgres_server.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AuditDriver {
 public:
  AuditDriver(TestLoop& loop, Audit& audit) : loop_(loop), audit_(audit) {}

  Result<std::string> identify() {
    return wait_for<std::string>([&](auto done) { audit_.identify(std::move(done)); });
  }
  Result<std::vector<JournalPosition>> find_positions(std::vector<RunId> runs) {
    return wait_for<std::vector<JournalPosition>>(
        [&](auto done) { audit_.find_positions(std::move(runs), std::move(done)); });
  }
  Result<void> append(std::vector<JournalGrowth> growth) {
    return wait_for<void>([&](auto done) { audit_.append(std::move(growth), std::move(done)); });
  }
  // Until the connection is there.
  void wait_until_reachable() {
    while (!identify()) {
      bool over = false;
      loop_.clock().at(loop_.clock().now() + Duration(5), [&] { over = true; });
      loop_.run_until([&] { return over; });
    }
  }

 private:
  template <typename T, typename Call>
  Result<T> wait_for(Call call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> value) { answer = std::move(value); });
    loop_.run_until([&] { return answer.has_value(); });
    return std::move(*answer);
  }

  TestLoop& loop_;
  Audit& audit_;
};

// Entries `first` to `last` of a run.
JournalGrowth growth(const RunId& run, std::uint64_t first, std::uint64_t last) {
  JournalGrowth growth{.record = record_of(run), .entries = {}};
  for (std::uint64_t seq = first; seq <= last; ++seq) growth.entries.push_back(event(seq));
  return growth;
}

PostgresServer& server() {
  static PostgresServer server({.fsync = "off"});
  return server;
}

std::string fresh_schema() {
  static int schemas = 0;
  return "audit_" + std::to_string(++schemas);
}

struct AuditAdapter {
  std::string name;
  std::function<std::unique_ptr<Audit>(TestLoop& loop)> open;
};

std::vector<AuditAdapter> audit_adapters() {
  std::vector<AuditAdapter> adapters = {
      {"memory", [](TestLoop& loop) { return std::make_unique<memory::Audit>(loop.clock()); }}};
  if (is_installed(PostgresServer::kProgram)) {
    adapters.push_back(
        {"postgres", [](TestLoop& loop) -> std::unique_ptr<Audit> {
           return postgres::Audit::open(loop.context(), server().url() + "?schema=" + fresh_schema()).value();
         }});
  }
  return adapters;
}

class AuditContract : public ::testing::TestWithParam<AuditAdapter> {
 protected:
  AuditContract() { driver_.wait_until_reachable(); }

  std::vector<std::uint64_t> positions_of(std::vector<RunId> runs) {
    std::vector<std::uint64_t> seqs;
    const auto positions = driver_.find_positions(runs).value();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      EXPECT_EQ(positions[i].run, runs[i]);
      seqs.push_back(positions[i].seq);
    }
    return seqs;
  }

  TestLoop loop_;
  std::unique_ptr<Audit> audit_ = GetParam().open(loop_);
  AuditDriver driver_{loop_, *audit_};
};

INSTANTIATE_TEST_SUITE_P(Adapters, AuditContract, ::testing::ValuesIn(audit_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(AuditContract, ItsNameStaysTheSame) {
  EXPECT_EQ(driver_.identify().value(), driver_.identify().value());
}

TEST_P(AuditContract, SaysHowFarItHasEachRun) {
  const RunId one = run_number(1), two = run_number(2), none = run_number(3);
  EXPECT_TRUE(driver_.append({growth(two, 1, 3), growth(one, 1, 1)}));
  EXPECT_TRUE(driver_.append({growth(one, 2, 2)}));
  EXPECT_THAT(positions_of({one, none, two}), ElementsAre(2, 0, 3));
  EXPECT_THAT(positions_of({}), ElementsAre());
}

TEST_P(AuditContract, ARepetitionChangesNothing) {
  const RunId run = run_number(1);
  EXPECT_TRUE(driver_.append({growth(run, 1, 3)}));
  EXPECT_TRUE(driver_.append({growth(run, 1, 3)}));
  EXPECT_TRUE(driver_.append({growth(run, 2, 5)}));
  EXPECT_THAT(positions_of({run}), ElementsAre(5));
}

TEST_P(AuditContract, AGapIsRefusedWithAllThatCameWithIt) {
  const RunId run = run_number(1), other = run_number(2);
  EXPECT_EQ(driver_.append({growth(run, 2, 3)}).error().code, "gap");
  EXPECT_TRUE(driver_.append({growth(run, 1, 3)}));
  EXPECT_EQ(driver_.append({growth(other, 1, 1), growth(run, 5, 5)}).error().code, "gap");
  EXPECT_THAT(positions_of({run, other}), ElementsAre(3, 0));
}

class PostgresAudit : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed(PostgresServer::kProgram))
      GTEST_SKIP() << "Debian package postgresql-15 is not installed";
  }
  std::unique_ptr<Audit> open(const std::string& schema) {
    return postgres::Audit::open(loop_.context(), server().url() + "?schema=" + schema).value();
  }
  std::unique_ptr<Audit> open(const std::string& schema, const std::string& role) {
    return postgres::Audit::open(loop_.context(), "postgres://" + role +
                                                      "@127.0.0.1:" + std::to_string(server().port()) +
                                                      "/postgres?schema=" + schema)
        .value();
  }
  std::string query(const std::string& schema, const std::string& sql) {
    return server().query("SET search_path TO " + schema + "; " + sql);
  }

  TestLoop loop_;
};

TEST_F(PostgresAudit, HasARowForEachEntryAndOneForEachRun) {
  const std::string schema = fresh_schema();
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  driver.wait_until_reachable();
  JournalGrowth run = growth(run_number(1), 1, 1);
  run.record.labels = {{"team", "blue"}};
  run.record.session_id = std::string("s\0s", 3);
  run.record.parent = run_number(9);
  run.record.usage = R"({"tokens":7})";
  run.entries[0].data = R"({"price":12.5})";
  run.entries.push_back(event(2, R"({"text":"\u0000"})"));
  EXPECT_TRUE(driver.append({run}));
  EXPECT_EQ(query(schema,
                  "SELECT data->>'price' FROM audit WHERE run = '" + run_number(1).text() + "' AND seq = 1"),
            "12.5");
  EXPECT_EQ(query(schema, "SELECT jsonb_typeof(data) FROM audit WHERE seq = 2"), "string");
  EXPECT_EQ(
      query(schema, "SELECT (extract(epoch FROM at) * 1000)::bigint FROM audit WHERE run_id = run_id('" +
                        run_number(1).text() + "') AND seq = 2"),
      "1700000000002");
  EXPECT_EQ(query(schema, "SELECT concat(labels->>'team', usage->>'tokens', parent, status) FROM audit_runs"),
            "blue7" + run_number(9).text() + "running");
}

TEST_F(PostgresAudit, AnOlderStandOfARunDoesNotReplaceANewerOne) {
  const std::string schema = fresh_schema();
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  driver.wait_until_reachable();
  JournalGrowth ended = growth(run_number(1), 1, 3);
  ended.record.status = "completed";
  ended.record.ended_at = Timestamp(1'700'000'000'500);
  EXPECT_TRUE(driver.append({ended}));
  EXPECT_TRUE(driver.append({growth(run_number(1), 1, 2)}));
  EXPECT_EQ(query(schema, "SELECT status FROM audit_runs WHERE ended_at IS NOT NULL"), "completed");
}

TEST_F(PostgresAudit, RefusesEveryChangeOfWhatWasWritten) {
  const std::string schema = fresh_schema();
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  driver.wait_until_reachable();
  EXPECT_TRUE(driver.append({growth(run_number(1), 1, 2)}));
  for (const char* change :
       {"UPDATE journal SET data = ''", "DELETE FROM journal", "TRUNCATE journal", "DELETE FROM runs",
        "TRUNCATE runs", "UPDATE runs SET workflow = 'x'", "UPDATE runs SET seq = 1"})
    EXPECT_THAT(query(schema, change), HasSubstr("append-only")) << change;
}

TEST_F(PostgresAudit, TwoThatMakeTheSchemaAtOnceFindOneAudit) {
  const std::string schema = fresh_schema();
  const auto one = open(schema), two = open(schema);
  AuditDriver first(loop_, *one), second(loop_, *two);
  first.wait_until_reachable();
  second.wait_until_reachable();
  EXPECT_EQ(first.identify().value(), second.identify().value());
}

TEST_F(PostgresAudit, TwoThatCopyTheSameAtOnceWriteItOnce) {
  const std::string schema = fresh_schema();
  const auto one = open(schema), two = open(schema);
  AuditDriver first(loop_, *one), second(loop_, *two);
  first.wait_until_reachable();
  second.wait_until_reachable();
  int open = 0;
  for (std::uint64_t round = 0; round < 10; ++round) {
    std::vector<JournalGrowth> batch;
    for (std::uint64_t n = 1; n <= 20; ++n) batch.push_back(growth(run_number(n), 1, round + 1));
    for (Audit* audit : {one.get(), two.get()}) {
      ++open;
      audit->append(batch, [&](Result<void> appended) {
        EXPECT_TRUE(appended);
        --open;
      });
      std::ranges::reverse(batch);
    }
  }
  loop_.run_until([&] { return open == 0; });
  EXPECT_EQ(query(schema, "SELECT concat_ws('|', count(*), sum(seq), count(DISTINCT run)) FROM journal"),
            "200|1100|20");
}

TEST_F(PostgresAudit, TheSchemaOfAStoreIsRefused) {
  const std::string schema = fresh_schema();
  query("public", "CREATE SCHEMA " + schema + "; CREATE TABLE " + schema + ".schema_version(version bigint)");
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  EXPECT_THAT(driver.identify().error().message, HasSubstr("name another one for the audit with ?schema="));
  EXPECT_EQ(query(schema, "SELECT to_regclass('journal')"), "");
}

TEST_F(PostgresAudit, IsReachedWhenTheServerComes) {
  const PortLease nobody;
  const auto audit =
      postgres::Audit::open(loop_.context(),
                            "postgres://127.0.0.1:" + std::to_string(nobody.port()) + "/postgres")
          .value();
  const Error away = AuditDriver(loop_, *audit).identify().error();
  EXPECT_EQ(away.code, "unavailable");
  EXPECT_THAT(away.message, HasSubstr("refused")) << "why there is no connection";
}

TEST_F(PostgresAudit, TheFirstCallsWaitForTheConnection) {
  const auto audit = open(fresh_schema());
  EXPECT_TRUE(AuditDriver(loop_, *audit).identify());
}

TEST_F(PostgresAudit, ASchemaThatCannotBeMadeIsTriedOnceASecond) {
  const std::string schema = fresh_schema();
  query("public", "CREATE SCHEMA " + schema + "; CREATE TABLE " + schema + ".schema_version(version bigint)");
  const auto tried = std::chrono::steady_clock::now();
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  EXPECT_THAT(driver.identify().error().message, HasSubstr("name another one for the audit"));
  query("public", "DROP SCHEMA " + schema + " CASCADE");
  driver.wait_until_reachable();
  EXPECT_GE(std::chrono::steady_clock::now() - tried, postgres::kLongestPause);
}

TEST_F(PostgresAudit, OnlyARowThatCannotBeHeldIsRefused) {
  const std::string schema = fresh_schema(), role = schema + "_reader";
  const auto audit = open(schema);
  AuditDriver driver(loop_, *audit);
  driver.wait_until_reachable();
  JournalGrowth beyond = growth(run_number(1), 1, 1);
  beyond.entries[0].at = Timestamp(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(driver.append({beyond}).error().code, "refused");
  query(schema, "CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + schema + " TO " + role +
                    "; GRANT SELECT ON ALL TABLES IN SCHEMA " + schema + " TO " + role);
  const auto reading = open(schema, role);
  const Error refused = AuditDriver(loop_, *reading).append({growth(run_number(1), 1, 1)}).error();
  EXPECT_EQ(refused.code, "unavailable");
  EXPECT_THAT(refused.message, HasSubstr("permission denied"));
}

TEST_F(PostgresAudit, AUrlThatCannotBeIsRefused) {
  EXPECT_EQ(postgres::Audit::open(loop_.context(), "redis://h").error().code, "invalid_audit");
  EXPECT_EQ(postgres::Audit::open(loop_.context(), "postgres://h/d?schema=Audit").error().code,
            "invalid_audit");
}

// As docs/operations/audit.md names them.
TEST_F(PostgresAudit, ARoleThatOnlyAddsIsEnough) {
  const std::string schema = fresh_schema(), role = schema + "_writer";
  {
    const auto made = open(schema);
    AuditDriver(loop_, *made).wait_until_reachable();
  }
  query(schema, "CREATE ROLE " + role + " LOGIN; GRANT USAGE ON SCHEMA " + schema + " TO " + role +
                    "; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA " + schema + " TO " + role +
                    "; GRANT UPDATE (seq, status, ended_at, usage) ON " + schema + ".runs TO " + role);
  const auto audit = open(schema, role);
  AuditDriver driver(loop_, *audit);
  driver.wait_until_reachable();
  EXPECT_TRUE(driver.append({growth(run_number(1), 1, 2)}));
  EXPECT_TRUE(driver.append({growth(run_number(1), 3, 3)}));
  EXPECT_THAT(query(schema, "SET ROLE " + role + "; DELETE FROM journal"), HasSubstr("permission denied"));
}

}  // namespace
}  // namespace ganglion::testing

// What becomes of commits when the server, or the way to it, fails: nothing that was acknowledged is lost,
// nothing is written twice, and what was refused was not written.

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "adapters/postgres/store.h"
#include "adapters/postgres/testing/committers.h"
#include "adapters/postgres/testing/cutting_proxy.h"
#include "base/asio/asio.h"
#include "base/assert.h"
#include "servers/postgres_server.h"

namespace ganglion::testing {
namespace {

using namespace std::chrono_literals;

constexpr const char* kOurs =
    " FROM pg_stat_activity WHERE application_name = 'ganglion' AND pid <> pg_backend_pid()";
// The others have asked for nothing yet but what a connection begins with.
constexpr const char* kNotTheWriter = " AND query NOT LIKE '%enter(%' AND query <> 'SELECT 1'";

PostgresServer& server() {
  static PostgresServer server;
  return server;
}

class PostgresFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed(PostgresServer::kProgram))
      GTEST_SKIP() << "Debian package postgresql-15 is not installed";
    schema_ = "faults_" + std::to_string(++schemas_);
    store_ = open(server().port());
  }

  std::unique_ptr<Store> open(std::uint16_t port, std::chrono::milliseconds patience = 10s) {
    return open("postgres://ganglion@127.0.0.1:" + std::to_string(port) + "/postgres?schema=" + schema_,
                patience);
  }

  std::unique_ptr<Store> open(const std::string& url, std::chrono::milliseconds patience) {
    return postgres::Store::open(
               loop_.context(),
               {.url = url, .fatal = [this](const std::string& why) { fatal_ = why; }, .patience = patience})
        .value();
  }

  std::string query(const std::string& sql) {
    return server().query("SET search_path TO " + schema_ + "; " + sql);
  }

  // The server's process behind the connection that writes, once it has written.
  static pid_t writer() {
    const std::string pid = server().query(std::string("SELECT max(pid)") + kOurs + kNotTheWriter);
    GANGLION_ASSERT(!pid.empty());
    return std::atoi(pid.c_str());
  }

  void cut_our_connections() { server().query(std::string("SELECT pg_terminate_backend(pid)") + kOurs); }

  TestLoop loop_;
  std::string schema_;
  std::unique_ptr<Store> store_;
  std::string fatal_;

 private:
  static int schemas_;
};

int PostgresFaults::schemas_ = 0;

TEST_F(PostgresFaults, AServerThatIsKilledHasEverythingThatItAcknowledged) {
  Committers committers(loop_, *store_, 20);
  for (int round = 0; round < 3; ++round) {
    committers.run_for(300);
    server().crash();
    server().start();
  }
  committers.run_for(300);
  committers.finish_and_check();
}

TEST_F(PostgresFaults, AServerThatRestartsIsWaitedFor) {
  Committers committers(loop_, *store_, 20);
  committers.run_for(200);
  server().stop();
  server().start();
  committers.run_for(200);
  EXPECT_EQ(committers.refused(), 0u);
  committers.finish_and_check();
}

TEST_F(PostgresFaults, ConnectionsThatTheServerEndsAtAnyMomentLoseAndDoubleNothing) {
  Committers committers(loop_, *store_, 20);
  std::atomic<bool> stop = false;
  std::thread ender([&] {
    // Again whenever it has got going.
    for (std::size_t before = 0; !stop; std::this_thread::yield()) {
      if (committers.acknowledged() <= before + 2) continue;
      cut_our_connections();
      before = committers.acknowledged();
    }
  });
  committers.run_for(400);
  stop = true;
  ender.join();
  committers.run_for(200);
  committers.finish_and_check();
}

TEST_F(PostgresFaults, AConnectionThatIsCutAtACommitIsSettledByAsking) {
  CuttingProxy proxy(server().port());
  store_ = open(proxy.port());
  Committers committers(loop_, *store_, 10);
  for (int round = 0; round < 20; ++round) {
    committers.run_for(20);
    proxy.cut_next(round % 2 == 0 ? Cut::before_commit : Cut::after_commit);
    loop_.run_until([&] { return !proxy.is_armed(); });
  }
  committers.run_for(20);
  EXPECT_EQ(committers.refused(), 0u);
  committers.finish_and_check();
  store_.reset();
}

TEST_F(PostgresFaults, AnOldConnectionThatWakesUpWritesNothing) {
  CuttingProxy proxy(server().port());
  store_ = open(proxy.port());
  Committers committers(loop_, *store_, 5);
  committers.run_for(50);
  const pid_t pid = writer();
  // What is sent from now on reaches a process that sleeps, and whose client is then gone.
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  std::size_t turned = 0;
  loop_.clock().at(loop_.clock().now() + 50ms, [&] { ++turned; });
  loop_.run_until([&] { return turned == 1; });
  proxy.cut_all();
  loop_.clock().at(loop_.clock().now() + 300ms, [&] {
    ++turned;
    ::kill(pid, SIGCONT);
  });
  loop_.run_until([&] { return turned == 2; });
  committers.run_for(100);
  committers.finish_and_check();
  store_.reset();
}

TEST_F(PostgresFaults, APausedServerGoesOnWhereItWas) {
  Committers committers(loop_, *store_, 10);
  committers.run_for(50);
  const pid_t pid = writer();
  ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  bool woken = false;
  loop_.clock().at(loop_.clock().now() + 200ms, [&] {
    ::kill(pid, SIGCONT);
    woken = true;
  });
  loop_.run_until([&] { return woken; });
  committers.run_for(100);
  committers.finish_and_check();
}

TEST_F(PostgresFaults, WithoutAServerWritesAndReadsAreRefusedInTimeAndLaterSucceed) {
  store_ = open(server().port(), 200ms);
  StoreDriver driver(loop_, *store_);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server().stop();
  EXPECT_TRUE(std::holds_alternative<StoreUnavailable>(driver.commit(append_to(run_number(1), 1))));
  EXPECT_EQ(driver.find_run(run_number(1)).error().code, "unavailable");
  EXPECT_EQ(driver.put_setting("a", "b").error().code, "unavailable");
  server().start();
  CommitOutcome outcome = StoreUnavailable();
  while (std::holds_alternative<StoreUnavailable>(outcome))
    outcome = driver.commit(append_to(run_number(1), 1));
  EXPECT_TRUE(is_committed(outcome));
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 2u);
}

TEST_F(PostgresFaults, AServerThatAnswersButLetsNobodyWriteRefusesInTime) {
  store_ = open(server().port(), 300ms);
  StoreDriver driver(loop_, *store_);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  query(
      "CREATE FUNCTION nobody() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nobody'; END "
      "$$; "
      "CREATE TRIGGER nobody BEFORE UPDATE OF epoch ON writers FOR EACH ROW EXECUTE FUNCTION nobody()");
  cut_our_connections();
  EXPECT_TRUE(std::holds_alternative<StoreUnavailable>(driver.commit(append_to(run_number(1), 1))));
  query("DROP TRIGGER nobody ON writers");
  CommitOutcome outcome = StoreUnavailable();
  while (std::holds_alternative<StoreUnavailable>(outcome))
    outcome = driver.commit(append_to(run_number(1), 1));
  EXPECT_TRUE(is_committed(outcome));
}

// As a machine that hangs: its kernel takes connections, and nobody answers.
TEST_F(PostgresFaults, AHostThatNeverAnswersIsPassedBy) {
  boost::asio::ip::tcp::acceptor silent(loop_.context(), {boost::asio::ip::address_v4::loopback(), 0});
  const std::string hosts = "127.0.0.1:" + std::to_string(silent.local_endpoint().port()) +
                            ",127.0.0.1:" + std::to_string(server().port());
  store_ = open("postgres://ganglion@" + hosts + "/postgres?connect_timeout=2&schema=" + schema_, 60s);
  StoreDriver driver(loop_, *store_);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  EXPECT_TRUE(driver.find_run(run_number(1)));
}

TEST_F(PostgresFaults, AServerThatHasLostWhatItConfirmedEndsTheProcess) {
  StoreDriver driver(loop_, *store_);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
  // As a standby that took over without the last group.
  query("UPDATE writers SET last_group = last_group - 1 WHERE last_group > 0");
  cut_our_connections();
  loop_.run_until([&] { return !fatal_.empty(); });
  EXPECT_THAT(fatal_, ::testing::HasSubstr("has lost commits that it had confirmed"));
}

// Raises an error for journal rows whose data say so, in the place of a disk.
constexpr const char* kFaultyRows =
    "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF NEW.data = '\"full\"' THEN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END IF; "
    "IF NEW.data = '\"odd\"' THEN RAISE EXCEPTION 'odd' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$; "
    "CREATE TRIGGER fail BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION fail()";

TEST_F(PostgresFaults, AFullDiskRefusesTheWholeGroupAndGoesOnWhenThereIsSpace) {
  StoreDriver driver(loop_, *store_);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  query(kFaultyRows);
  EXPECT_TRUE(
      std::holds_alternative<StoreUnavailable>(driver.commit(append_to(run_number(1), 1, "\"full\""))));
  query("DROP TRIGGER fail ON journal");
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1, "\"full\""))));
}

TEST_F(PostgresFaults, ACommitThatEndsEveryConnectionIsRefusedAloneAfterSomeAttempts) {
  StoreDriver driver(loop_, *store_);
  for (std::uint64_t n = 1; n <= 5; ++n) EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(n)))));
  // As a process of the server that the kernel kills for the memory that it takes.
  query(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF NEW.data = '\"deadly\"' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; "
      "END $$; "
      "CREATE TRIGGER die BEFORE INSERT ON journal FOR EACH ROW EXECUTE FUNCTION die()");
  std::vector<bool> committed;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    store_->commit(append_to(run_number(n), 1, n == 3 ? "\"deadly\"" : "1"),
                   [&](const CommitOutcome& outcome) { committed.push_back(is_committed(outcome)); });
  }
  loop_.run_until([&] { return committed.size() == 5; });
  EXPECT_THAT(committed, ::testing::ElementsAre(true, true, false, true, true));
}

TEST_F(PostgresFaults, AnOddCommitIsRefusedAloneAndTheRestOfItsGroupIsWritten) {
  StoreDriver driver(loop_, *store_);
  for (std::uint64_t n = 1; n <= 5; ++n) EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(n)))));
  query(kFaultyRows);
  std::vector<bool> committed;
  for (std::uint64_t n = 1; n <= 5; ++n) {
    store_->commit(append_to(run_number(n), 1, n == 3 ? "\"odd\"" : "1"),
                   [&](const CommitOutcome& outcome) { committed.push_back(is_committed(outcome)); });
  }
  loop_.run_until([&] { return committed.size() == 5; });
  EXPECT_THAT(committed, ::testing::ElementsAre(true, true, false, true, true));
}

}  // namespace
}  // namespace ganglion::testing

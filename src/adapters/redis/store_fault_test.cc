// What happens to a real server, under commits: nothing that was acknowledged is lost, nothing is made twice.

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <vector>

#include "adapters/redis/library.h"
#include "adapters/redis/store.h"
#include "adapters/redis/testing/committing_runs.h"
#include "adapters/redis/testing/lossy_proxy.h"
#include "adapters/redis/testing/redis_fixture.h"

namespace ganglion::redis {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::RedisServer;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::state_write;
using ganglion::testing::StoreDriver;
using ganglion::testing::topic_event;
using testing::CommittingRuns;
using ::testing::HasSubstr;
using testing::LossyProxy;
using ::testing::StartsWith;
using ::testing::VariantWith;

constexpr std::uint64_t kRuns = 20;

class RedisFaults : public testing::RedisTest {
 protected:
  void turn_for(Duration time) {
    bool turned = false;
    loop_.clock().at(loop_.clock().now() + time, [&] { turned = true; });
    loop_.run_until([&] { return turned; });
  }
};

TEST_F(RedisFaults, AKilledServerComesBackWithEverythingThatItAcknowledged) {
  RedisServer server;
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  for (int round = 0; round < 4; ++round) {
    runs.commit(300);
    server.process().kill();
    server.process().start();
  }
  runs.commit(300);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
  EXPECT_EQ(fatal_, std::nullopt);
}

TEST_F(RedisFaults, AServerThatStillLoadsIsWaitedFor) {
  RedisServer server(
      {.arguments = {"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"}});
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(300);
  server.process().kill();
  server.process().start();
  EXPECT_THAT(server.command({"GET", "x"}), StartsWith("-LOADING"));
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

TEST_F(RedisFaults, ConnectionsThatBreakChangeNothing) {
  const RedisServer server;
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  for (int round = 0; round < 10; ++round) {
    runs.commit(100);
    EXPECT_NE(server.command({"CLIENT", "KILL", "TYPE", "normal"}), "0");
  }
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

// The server has done it, and its answer never arrives.
TEST_F(RedisFaults, AnAnswerThatIsLostIsGivenAgainAndNothingIsDoneTwice) {
  const RedisServer server;
  LossyProxy proxy(loop_.context(), server.port());
  const auto store = open(proxy.url());
  CommittingRuns runs(loop_, *store, kRuns);
  for (int round = 0; round < 20; ++round) {
    runs.commit(50);
    proxy.lose_an_answer(round % 3);
  }
  runs.commit(50);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
  EXPECT_GE(proxy.lost(), 15);
}

TEST_F(RedisFaults, AnAnswerThatIsLostSaysTheSameTheSecondTime) {
  const RedisServer server;
  LossyProxy proxy(loop_.context(), server.port());
  const auto store = open(proxy.url());
  StoreDriver driver(loop_, *store);

  proxy.lose_an_answer();
  EXPECT_EQ(driver.write_state("s", state_write("k", "1"), KeyAbsent()), 1u);
  proxy.lose_an_answer();
  EXPECT_FALSE(driver.append_events({topic_event("t", "1")}).at(0).existed);
  proxy.lose_an_answer();
  EXPECT_TRUE(driver.put_record(
      {.kind = RecordKind::approval, .id = "r", .run = {}, .at = Timestamp(1), .data = "{}"}));
  proxy.lose_an_answer();
  EXPECT_EQ(driver.remove_records(RecordKind::approval, "r"), 1u);
  proxy.lose_an_answer();
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  // Somebody else has gone on from it before it is asked for again.
  const auto other = open(server.url());
  bool answered = false;
  proxy.lose_an_answer();
  store->commit(append_to(run_number(1), 1), [&](const CommitOutcome& outcome) {
    EXPECT_TRUE(is_committed(outcome));
    answered = true;
  });
  loop_.run_until([&] { return proxy.lost() == 6; });
  EXPECT_TRUE(is_committed(StoreDriver(loop_, *other).commit(append_to(run_number(1), 2))));
  loop_.run_until([&] { return answered; });
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 3u);
}

// A call that lay in the buffer of a connection that was given up.
TEST_F(RedisFaults, ACallOfAnEarlierConnectionOrOutOfOrderIsRefused) {
  const RedisServer server;
  const auto store = open(server.url());
  EXPECT_TRUE(is_committed(StoreDriver(loop_, *store).commit(start_of(run_number(1)))));
  const std::string key = server.command({"KEYS", "{ganglion}:writer:*"});
  const std::string writer = key.substr(key.rfind(':') + 1);
  ASSERT_EQ(server.command({"HMGET", key, "epoch", "last"}), "1\n1");
  const auto call = [&](const char* epoch, const char* number, const char* previous) {
    return server.command(
        {"FCALL", library().write, "1", "{ganglion}", writer, epoch, number, previous, "1"});
  };
  EXPECT_THAT(call("0", "2", "1"), StartsWith("-TRYAGAIN the writer has another connection"));
  EXPECT_THAT(call("1", "3", "2"), StartsWith("-TRYAGAIN a write before this one is missing"));
  EXPECT_THAT(call("1", "2", "1"), HasSubstr("done"));
}

TEST_F(RedisFaults, WhatWasDoneIsAcknowledgedThoughNothingCanBeWrittenAnyMore) {
  const RedisServer server;
  LossyProxy proxy(loop_.context(), server.port());
  const auto store = open(proxy.url());
  std::optional<CommitOutcome> outcome;
  proxy.lose_an_answer();
  store->commit(start_of(run_number(1)), [&](CommitOutcome result) { outcome = std::move(result); });
  loop_.run_until([&] { return proxy.lost() == 1; });
  server.command({"CONFIG", "SET", "maxmemory", "1mb"});
  loop_.run_until([&] { return outcome.has_value(); });
  EXPECT_TRUE(is_committed(*outcome));
  EXPECT_TRUE(StoreDriver(loop_, *store).find_run(run_number(1)));
}

TEST_F(RedisFaults, FunctionsThatWereFlushedAreLoadedAgain) {
  const RedisServer server;
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  for (int round = 0; round < 3; ++round) {
    runs.commit(100);
    EXPECT_EQ(server.command({"FUNCTION", "FLUSH", "SYNC"}), "OK");
    server.command({"SCRIPT", "FLUSH"});
  }
  runs.commit(100);
  EXPECT_EQ(server.command({"FUNCTION", "FLUSH", "SYNC"}), "OK");
  EXPECT_TRUE(StoreDriver(loop_, *store).find_run(run_number(1)));
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

TEST_F(RedisFaults, AFullMemoryRefusesCommitsUntilThereIsRoomAgain) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"CONFIG", "SET", "maxmemory", "1mb"});
  EXPECT_THAT(
      driver.commit(append_to(run_number(1), 1)),
      VariantWith<StoreUnavailable>(::testing::Field(&StoreUnavailable::reason, HasSubstr("maxmemory"))));
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 1u);
  server.command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
}

TEST_F(RedisFaults, TooFewReplicasRefuseCommitsAndReadsGoOn) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"CONFIG", "SET", "min-replicas-to-write", "1"});
  EXPECT_THAT(
      driver.commit(append_to(run_number(1), 1)),
      VariantWith<StoreUnavailable>(::testing::Field(&StoreUnavailable::reason, HasSubstr("replicas"))));
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 1u);
  server.command({"CONFIG", "SET", "min-replicas-to-write", "0"});
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
}

// Some calls of a row of them are refused: those behind don't overtake them.
TEST_F(RedisFaults, AFullMemoryUnderCommitsLeavesNothingInPart) {
  const RedisServer server;
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  for (int round = 0; round < 5; ++round) {
    runs.commit(100);
    server.command({"CONFIG", "SET", "maxmemory", "1mb"});
    server.command({"CONFIG", "SET", "maxmemory", "0"});
  }
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

TEST_F(RedisFaults, AServerThatHangsIsWaitedForAndWhatItWasNeverAskedIsRefused) {
  RedisServer server;
  Options patient = options(server.url());
  patient.patience = std::chrono::milliseconds(400);
  patient.silence = std::chrono::milliseconds(200);
  const auto store = open(std::move(patient));
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));

  // When the server stands still with a commit before it …
  server.process().pause();
  std::optional<CommitOutcome> sent;
  store->commit(append_to(run_number(1), 1), [&](CommitOutcome outcome) { sent = std::move(outcome); });
  // … then a read isn't answered, …
  EXPECT_EQ(driver.find_run(run_number(1)).error().code, "unavailable");
  // … a commit that was not sent is refused, …
  EXPECT_THAT(driver.commit(start_of(run_number(2))), VariantWith<StoreUnavailable>(::testing::_));
  // … and the one that may have been done waits until that is known.
  EXPECT_FALSE(sent);
  server.process().resume();
  loop_.run_until([&] { return sent.has_value(); });
  EXPECT_TRUE(is_committed(*sent));
  EXPECT_EQ(driver.read_journal(run_number(1)).value().size(), 2u);
  EXPECT_EQ(driver.find_run(run_number(2)).error().code, "not_found");
}

TEST_F(RedisFaults, AServerThatHangsIsGivenUpHoweverOftenItIsAsked) {
  RedisServer server;
  std::string problem;
  Options impatient = options(server.url());
  impatient.patience = std::chrono::milliseconds(100);
  impatient.silence = std::chrono::milliseconds(200);
  const auto store = open(std::move(impatient));
  server.process().pause();
  for (int asked = 0; asked < 100 && !problem.contains("silent"); ++asked) {
    store->find_run(run_number(1), [&](const auto& found) { problem = found.error().message; });
    turn_for(Duration(20));
  }
  EXPECT_THAT(problem, HasSubstr("the server has been silent for 200 ms"));
  server.process().resume();
}

TEST_F(RedisFaults, AServerThatIsAwayRefusesWhatItWasNeverAsked) {
  RedisServer server;
  Options patient = options(server.url());
  patient.patience = std::chrono::milliseconds(300);
  const auto store = open(std::move(patient));
  StoreDriver driver(loop_, *store);
  server.process().kill();
  // The first may still be sent before the loss is noticed; nothing can be known of it until the server is
  // back.
  EXPECT_EQ(driver.find_run(run_number(1)).error().code, "unavailable");
  EXPECT_THAT(driver.commit(start_of(run_number(1))), VariantWith<StoreUnavailable>(::testing::_));
  EXPECT_EQ(driver.put_setting("a", "b").error().code, "unavailable");
  server.process().start();
  std::string setting;
  do setting = driver.get_setting("a").error().code;
  while (setting == "unavailable");
  EXPECT_EQ(setting, "not_found");
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
}

TEST_F(RedisFaults, AMasterThatBecomesAReplicaIsWaitedFor) {
  const RedisServer server;
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(100);
  const ganglion::testing::PortLease nobody;
  server.command({"REPLICAOF", "127.0.0.1", std::to_string(nobody.port())});
  turn_for(Duration(100));
  server.command({"REPLICAOF", "NO", "ONE"});
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

TEST_F(RedisFaults, ASlowScriptIsWaitedFor) {
  const RedisServer server;
  server.command({"CONFIG", "SET", "busy-reply-threshold", "50"});
  const auto store = open(server.url());
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(100);
  std::thread slow([&] { server.command({"EVAL", "while true do end", "0"}); });
  wait_until([&] { return server.command({"GET", "x"}).starts_with("-BUSY"); });
  turn_for(Duration(100));
  wait_until([&] { return server.command({"SCRIPT", "KILL"}) == "OK"; });
  slow.join();
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

// One trouble after another, some of them while the last isn't over.
TEST_F(RedisFaults, ManyTroublesChangeNothing) {
  constexpr int kTroubles = 25;
  RedisServer server;
  LossyProxy proxy(loop_.context(), server.port());
  Options hasty = options(proxy.url());
  hasty.silence = std::chrono::milliseconds(50);
  const auto store = open(std::move(hasty));
  CommittingRuns runs(loop_, *store, kRuns);
  std::mt19937 random(20'261'128);
  const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
  const std::vector<std::function<void()>> troubles = {
      [&] { proxy.lose_an_answer(below(4)); },
      [&] { server.command({"CLIENT", "KILL", "TYPE", "normal"}); },
      [&] { server.command({"FUNCTION", "FLUSH", "SYNC"}); },
      [&] {
        server.command({"CONFIG", "SET", "maxmemory", "1mb"});
        turn_for(Duration(below(60)));
        server.command({"CONFIG", "SET", "maxmemory", "0"});
      },
      [&] {
        // Longer than the store waits, so that it leaves calls behind in a connection that is read later.
        server.process().pause();
        turn_for(Duration(400));
        server.process().resume();
      },
      [&] {
        server.process().kill();
        turn_for(Duration(below(60)));
        server.process().start();
      }};
  for (int i = 0; i < kTroubles; ++i) {
    troubles.at(static_cast<std::size_t>(below(static_cast<int>(troubles.size()))))();
    if (below(3) > 0) runs.commit(static_cast<std::uint64_t>(1 + below(100)));
  }
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
  EXPECT_EQ(fatal_, std::nullopt);
}

TEST_F(RedisFaults, AServerThatWasFlushedEndsTheProcess) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"FLUSHALL"});
  bool answered = false;
  store->commit(append_to(run_number(1), 1), [&](const CommitOutcome&) { answered = true; });
  wait_for_fatal();
  EXPECT_THAT(*fatal_, HasSubstr("has lost writes that it had acknowledged"));
  EXPECT_FALSE(answered);
}

TEST_F(RedisFaults, AServerThatComesBackWithLessEndsTheProcessBeforeItIsAsked) {
  RedisServer server({.appendonly = "no"});
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"SAVE"});
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
  server.process().kill();
  server.process().start();
  wait_for_fatal();
  EXPECT_EQ(server.command({"LLEN", "{ganglion}:journal:" + run_number(1).text()}), "1");
}

TEST_F(RedisFaults, ForeignDataUnderOurKeysEndsTheProcess) {
  const RedisServer server;
  const auto store = open(server.url());
  server.command({"SET", "{ganglion}:journal:" + run_number(1).text(), "not a list"});
  store->commit(start_of(run_number(1)), [](const CommitOutcome&) { ADD_FAILURE(); });
  wait_for_fatal();
  EXPECT_THAT(*fatal_, HasSubstr("WRONGTYPE"));
}

TEST_F(RedisFaults, DamagedValuesAreNotTakenForOthers) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  const std::string run = run_number(1).text();
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  EXPECT_EQ(server.command({"LSET", "{ganglion}:journal:" + run, "0", "x"}), "OK");
  EXPECT_EQ(driver.read_journal(run_number(1)).error().code, "store_corrupt");
  server.command({"HSET", "{ganglion}:run:" + run, "fixed", "x"});
  EXPECT_EQ(driver.find_run(run_number(1)).error().code, "store_corrupt");
  server.command({"SET", "{ganglion}:latest", "yesterday"});
  bool answered = false;
  store->last_time([&](const Result<Timestamp>& time) {
    EXPECT_EQ(time.error().code, "store_corrupt");
    answered = true;
  });
  loop_.run_until([&] { return answered; });
  server.command({"DEL", "{ganglion}:settings"});
  server.command({"SET", "{ganglion}:settings", "no hash"});
  EXPECT_EQ(driver.get_setting("a").error().code, "store_corrupt");
}

// Whoever is told may be whoever owns the store.
TEST_F(RedisFaults, TheStoreMayEndWhileItRefusesWhatHasWaitedTooLong) {
  RedisServer server;
  Options impatient = options(server.url());
  impatient.patience = std::chrono::milliseconds(300);
  auto store = open(std::move(impatient));
  server.process().kill();
  // The store has noticed: what comes now is not on its way to the server.
  EXPECT_EQ(StoreDriver(loop_, *store).find_run(run_number(1)).error().code, "unavailable");
  store->commit(start_of(run_number(1)), [&](const CommitOutcome&) { store.reset(); });
  store->find_run(run_number(1), [](const Result<RunRecord>&) { ADD_FAILURE(); });
  loop_.run_until([&] { return store == nullptr; });
}

TEST_F(RedisFaults, TheStoreMayEndWhileItLearnsWhatBecameOfAWrite) {
  const RedisServer server;
  LossyProxy proxy(loop_.context(), server.port());
  auto store = open(proxy.url());
  proxy.lose_an_answer();
  store->commit(start_of(run_number(1)), [&](const CommitOutcome&) { store.reset(); });
  loop_.run_until([&] { return proxy.lost() == 1; });
  store->find_run(run_number(1), [](const Result<RunRecord>&) { ADD_FAILURE(); });
  loop_.run_until([&] { return store == nullptr; });
}

}  // namespace
}  // namespace ganglion::redis

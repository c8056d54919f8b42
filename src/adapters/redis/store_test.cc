// What belongs to this store apart from the port's contract: opening, settings, several processes.

#include "adapters/redis/store.h"

#include <gmock/gmock.h>

#include "adapters/redis/testing/committing_runs.h"
#include "adapters/redis/testing/redis_fixture.h"

namespace ganglion::redis {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::fork_of;
using ganglion::testing::is_committed;
using ganglion::testing::PortLease;
using ganglion::testing::RedisServer;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using ganglion::testing::topic_event;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;

class RedisStore : public testing::RedisTest {
 protected:
  Error refusal(Options options) {
    options.patience = std::chrono::milliseconds(300);
    auto store = Store::open(loop_.context(), std::move(options));
    EXPECT_FALSE(store);
    return store ? Error() : store.error();
  }
};

TEST_F(RedisStore, AServerThatIsNotThereIsNamed) {
  const PortLease nobody;
  const Error error = refusal(options("redis://127.0.0.1:" + std::to_string(nobody.port())));
  EXPECT_EQ(error.code, "store_unavailable");
  EXPECT_THAT(error.message, HasSubstr(std::to_string(nobody.port())));
}

TEST_F(RedisStore, AUrlThatIsWrongIsRefused) {
  EXPECT_EQ(refusal(options("redis://")).code, "unknown_store");
}

TEST_F(RedisStore, DataOfAnotherVersionIsRefusedUntouched) {
  const RedisServer server;
  server.command({"SET", "{ganglion}:format", "99"});
  const Error error = refusal(options(server.url()));
  EXPECT_EQ(error.code, "store_incompatible");
  EXPECT_THAT(error.message, HasSubstr("format 99"));
  EXPECT_EQ(server.command({"DBSIZE"}), "1");
}

TEST_F(RedisStore, APasswordOpensAndAWrongOneIsRefused) {
  const RedisServer server({.arguments = {"--requirepass", "open sesame"}});
  const std::string address = server.address();
  EXPECT_NE(open("redis://:open%20sesame@" + address), nullptr);
  EXPECT_NE(open("redis://default:open%20sesame@" + address + "/3"), nullptr);
  EXPECT_THAT(refusal(options("redis://:wrong@" + address)).message, HasSubstr("WRONGPASS"));
  EXPECT_THAT(refusal(options("redis://" + address)).message, HasSubstr("NOAUTH"));
}

// As docs/operations/redis.md names them.
TEST_F(RedisStore, AUserWithAFewRightsIsEnough) {
  const RedisServer server;
  server.command({"ACL", "SETUSER", "g", "on", ">p", "~{ganglion}*", "+@read", "+@write", "+@scripting",
                  "+@connection", "+role", "+select", "+config|get"});
  const auto store = open("redis://g:p@" + server.address() + "/1");
  EXPECT_THAT(store->weaker_promises(), IsEmpty());
  testing::CommittingRuns runs(loop_, *store, 3);
  runs.commit(20);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

TEST_F(RedisStore, AnOutboxNeedsTheTimeWhereCommitsDoNot) {
  const RedisServer server;
  server.command({"ACL", "SETUSER", "g", "on", ">p", "~{ganglion}*", "+@read", "+@write", "+@scripting",
                  "+@connection", "+role", "+select", "+config|get"});
  const auto store = open("redis://g:p@" + server.address());
  StoreDriver driver(loop_, *store);
  EXPECT_THAT(driver.turn_outbox_on().error().message, HasSubstr("+time"));
  server.command({"SET", "{ganglion}:outbox-is-on", "1"});  // as somebody else did
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"ACL", "SETUSER", "g", "+time"});
  EXPECT_TRUE(driver.turn_outbox_on());
  EXPECT_THAT(driver.take_from_outbox(), ElementsAre(run_number(1)));
}

TEST_F(RedisStore, ADurableServerPromisesEverything) {
  const RedisServer server;
  EXPECT_THAT(open(server.url())->weaker_promises(), IsEmpty());
}

TEST_F(RedisStore, WeakerSettingsAreSaidALineEach) {
  const RedisServer server;
  const auto promises = [&](const char* name, const char* value) {
    server.command({"CONFIG", "SET", name, value});
    return open(server.url())->weaker_promises();
  };
  EXPECT_THAT(promises("appendfsync", "everysec"), ElementsAre(HasSubstr("appendfsync always")));
  EXPECT_THAT(promises("appendfsync", "no"), ElementsAre(HasSubstr("appendfsync always")));
  server.command({"CONFIG", "SET", "appendfsync", "always"});
  EXPECT_THAT(promises("no-appendfsync-on-rewrite", "yes"),
              ElementsAre(HasSubstr("no-appendfsync-on-rewrite no")));
  EXPECT_THAT(promises("appendonly", "no"), ElementsAre(HasSubstr("appendonly yes")));
  EXPECT_THAT(promises("maxmemory-policy", "allkeys-lru"),
              ElementsAre(HasSubstr("appendonly yes"), HasSubstr("maxmemory-policy noeviction")));
}

TEST_F(RedisStore, SettingsThatMayNotBeReadAreSaidToBeUnknown) {
  const RedisServer server;
  server.command({"ACL", "SETUSER", "default", "-config"});
  EXPECT_THAT(open(server.url())->weaker_promises(), ElementsAre(HasSubstr("CONFIG GET")));
}

TEST_F(RedisStore, PrefixesKeepStoresApart) {
  const RedisServer server;
  const auto first = open(server.url() + "?prefix=a");
  const auto second = open(server.url() + "?prefix=b");
  EXPECT_TRUE(is_committed(StoreDriver(loop_, *first).commit(start_of(run_number(1)))));
  EXPECT_EQ(StoreDriver(loop_, *second).find_run(run_number(1)).error().code, "not_found");
}

TEST_F(RedisStore, WhatAStoreWroteAnotherOneFinds) {
  const RedisServer server;
  StoreDriver(loop_, *open(server.url())).commit(start_of(run_number(1), 3));
  EXPECT_EQ(StoreDriver(loop_, *open(server.url())).read_journal(run_number(1)).value().size(), 3u);
}

TEST_F(RedisStore, AnOutboxIsOnForWhoeverCommits) {
  const RedisServer server;
  const auto store = open(server.url()), other = open(server.url());
  EXPECT_TRUE(is_committed(StoreDriver(loop_, *other).commit(start_of(run_number(1)))));
  EXPECT_TRUE(StoreDriver(loop_, *store).turn_outbox_on());
  EXPECT_TRUE(is_committed(StoreDriver(loop_, *other).commit(start_of(run_number(2)))));
  EXPECT_THAT(StoreDriver(loop_, *store).take_from_outbox(), ElementsAre(run_number(2)));
}

TEST_F(RedisStore, ALeaseFromBeforeTheClockWasSetBackDoesNotLast) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(driver.turn_outbox_on());
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  server.command({"ZADD", "{ganglion}:outbox", "4102444800000", run_number(1).text()});
  EXPECT_THAT(driver.take_from_outbox(), ElementsAre(run_number(1)));
  EXPECT_THAT(driver.take_from_outbox(), IsEmpty());
}

TEST_F(RedisStore, OfTwoCoordinatorsAtOneVersionOneWins) {
  const RedisServer server;
  const auto first = open(server.url());
  const auto second = open(server.url());
  StoreDriver(loop_, *first).commit(start_of(run_number(1)));
  std::uint64_t won = 0;
  for (std::uint64_t version = 1; version <= 50; ++version) {
    int answered = 0;
    for (Store* store : {first.get(), second.get()}) {
      store->commit(append_to(run_number(1), version), [&](const CommitOutcome& outcome) {
        won += is_committed(outcome) ? 1 : 0;
        ++answered;
      });
    }
    loop_.run_until([&] { return answered == 2; });
    ASSERT_EQ(won, version);
  }
}

TEST_F(RedisStore, AnswersAreNotKeptLongerThanTheyAreNeeded) {
  const RedisServer server;
  const auto store = open(server.url());
  testing::CommittingRuns runs(loop_, *store, 20);
  runs.commit(2000);
  runs.finish();
  const std::string writer = server.command({"KEYS", "{ganglion}:writer:*"});
  EXPECT_LE(std::stoi(server.command({"HLEN", writer})), 10);
}

TEST_F(RedisStore, ABlobOfTheLargestSizeFits) {
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  const std::string content(kMaxBlob, '\x7f');
  const std::string digest(64, 'a');
  EXPECT_TRUE(driver.put_blob(digest, content, Timestamp(1)));
  EXPECT_TRUE(driver.get_blob(digest).value() == content);
}

TEST_F(RedisStore, ALargeJournalIsReadWhole) {
  constexpr std::uint64_t kEntries = 300;
  constexpr std::uint64_t kShared = 150;
  // Which drops a connection that it owes a larger answer.
  const RedisServer server({.arguments = {"--client-output-buffer-limit", "normal 12mb 0 0"}});
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  const std::string data = '"' + std::string(64 << 10, 'x') + '"';
  for (std::uint64_t version = 1; version < kEntries; ++version)
    EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), version, data))));
  EXPECT_TRUE(is_committed(driver.commit(fork_of(run_number(1), kShared, run_number(2)))));
  const auto whole = driver.read_journal(run_number(1)).value();
  ASSERT_EQ(whole.size(), kEntries);
  for (std::uint64_t seq = 1; seq <= kEntries; ++seq) EXPECT_EQ(whole[seq - 1].seq, seq);
  EXPECT_EQ(whole.back().data, data);
  EXPECT_EQ(driver.read_journal(run_number(1), 10, 200).value().size(), 200u);
  EXPECT_EQ(driver.read_journal(run_number(2)).value().size(), kShared + 1);
}

TEST_F(RedisStore, LargeEventsAreReadAFewAtATime) {
  constexpr std::size_t kEvents = 30;
  constexpr std::size_t kBytes = 1 << 20;
  const RedisServer server;
  const auto store = open(server.url());
  StoreDriver driver(loop_, *store);
  for (std::size_t i = 0; i < kEvents; ++i)
    driver.append_events({topic_event("a.b", std::to_string(i), '"' + std::string(kBytes, 'x') + '"')});
  for (const char* pattern : {"a.b", "a.*"}) {
    const auto backward = driver.read_events({.pattern = pattern, .limit = kEvents});
    EXPECT_THAT(backward.size(), AllOf(Ge(1u), Lt(10u)));
    std::uint64_t last = 0;
    for (std::size_t left = kEvents; left > 0;) {
      const auto page = driver.read_events({.pattern = pattern, .after = last, .limit = kEvents});
      ASSERT_THAT(page.size(), AllOf(Ge(1u), Lt(10u)));
      EXPECT_EQ(page.front().seq, last + 1);
      last = page.back().seq;
      left -= page.size();
    }
    EXPECT_EQ(last, kEvents);
  }
}

}  // namespace
}  // namespace ganglion::redis

#include "sim/world/store_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "contract/store_driver.h"
#include "sim/world/store_fixture.h"

namespace ganglion::sim {
namespace {

using testing::append_to;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::run_number;
using testing::start_of;

class StoreServerTest : public ::testing::Test {
 protected:
  StoreServer::Executed write(const Commit& commit) {
    const auto operation = [commit](Store& store) { store.commit(commit, [](const CommitOutcome&) {}); };
    return world_.server.write(StoreServer::Kind::commit, operation, operation);
  }
  StoreServer::Executed set(const std::string& name, const std::string& value) {
    const auto operation = [=](Store& store) { store.put_setting(name, value, [](const Result<void>&) {}); };
    return world_.server.write(StoreServer::Kind::other, operation, operation);
  }
  std::string setting(const std::string& name) {
    return world_.server
        .ask<Result<std::string>>(
            [&](Store& store, auto answer) { store.get_setting(name, std::move(answer)); })
        .value_or("");
  }

  StoreWorld world_;
  const RunId run_ = run_number(1);
};

// --- time ---

TEST(StoreServerCostsTest, a_group_takes_one_sync_and_the_work_of_its_writes) {
  using namespace std::chrono_literals;
  Timeline timeline;
  StoreServer server(timeline, make_memory_store,
                     {.write = SimTime(150), .per_commit = 10us, .per_entry = 5us, .per_kib = 20us});
  ASSERT_TRUE(server.queues());
  std::vector<std::int64_t> answered;
  const auto queue = [&](StoreServer::Access access, StoreWork work) {
    server.queue(access, work, [&] { answered.push_back(timeline.now().count()); });
  };
  queue(StoreServer::Access::write, {.entries = 2, .bytes = 512});
  timeline.run_until(SimTime(1));
  queue(StoreServer::Access::write, {.entries = 1});
  queue(StoreServer::Access::write, {.entries = 1});
  timeline.run_until(SimTime(10'000));
  EXPECT_THAT(answered, ElementsAre(180, 360, 360));
  EXPECT_EQ(server.bytes_written(), 512u);
  server.slow_down(2);
  queue(StoreServer::Access::write, {});
  timeline.run_until(SimTime(20'000));
  EXPECT_EQ(answered.back(), 10'320);
}

TEST(StoreServerCostsTest, without_costs_there_is_no_queue) {
  Timeline timeline;
  EXPECT_FALSE(StoreServer(timeline, make_memory_store, {}).queues());
}

TEST_F(StoreServerTest, a_write_takes_its_time_also_at_the_beginning_of_the_world) {
  EXPECT_EQ(write(start_of(run_)).answered_at, SimTime(150));
}

TEST_F(StoreServerTest, writes_that_come_while_the_disk_is_at_work_share_the_next_group) {
  world_.run(SimTime(1'000));
  EXPECT_EQ(write(start_of(run_)).answered_at, SimTime(1'150));
  world_.run(SimTime(50));
  EXPECT_EQ(write(append_to(run_, 1)).answered_at, SimTime(1'300));
  world_.run(SimTime(60));
  EXPECT_EQ(write(append_to(run_, 2)).answered_at, SimTime(1'300));
  world_.run(SimTime(50));
  EXPECT_EQ(write(append_to(run_, 3)).answered_at, SimTime(1'450));
  world_.run(SimTime(5'000));
  EXPECT_EQ(write(append_to(run_, 4)).answered_at, world_.timeline.now() + SimTime(150));
}

TEST_F(StoreServerTest, answers_of_writes_never_leave_in_another_order) {
  Draw draw(4);
  write(start_of(run_));
  SimTime last{};
  for (std::uint64_t version = 1; version <= 500; ++version) {
    world_.run(SimTime(draw.between(std::int64_t{0}, std::int64_t{200})));
    world_.server.slow_down(static_cast<int>(draw.between(std::int64_t{1}, std::int64_t{3})));
    const SimTime at = write(append_to(run_, version)).answered_at;
    EXPECT_GE(at, last);
    EXPECT_GT(at, world_.timeline.now());
    last = at;
  }
}

TEST_F(StoreServerTest, a_slow_server_takes_that_many_times_as_long) {
  world_.run(SimTime(1'000));
  world_.server.slow_down(100);
  const auto nothing = [](Store&) {};
  EXPECT_EQ(world_.server.read(nothing), SimTime(1'000 + 2'000));
  EXPECT_EQ(write(start_of(run_)).answered_at, SimTime(1'000 + 15'000));
  world_.server.slow_down(1);
  EXPECT_EQ(world_.server.read(nothing), SimTime(1'020));
}

// --- state ---

TEST_F(StoreServerTest, what_is_written_is_there_and_has_a_serial_number) {
  EXPECT_EQ(write(start_of(run_)).serial, 1u);
  EXPECT_EQ(set("a", "1").serial, 2u);
  EXPECT_EQ(world_.server.writes(), 2u);
  EXPECT_EQ(world_.entries(run_), 1u);
  EXPECT_EQ(setting("a"), "1");
}

TEST_F(StoreServerTest, connections_hear_once_that_it_goes_down) {
  std::vector<std::string> told;
  const auto first = world_.server.on_down([&] { told.emplace_back("first"); });
  world_.server.on_down([&] { told.emplace_back("second"); });
  world_.server.set(StoreServer::State::full);
  EXPECT_THAT(told, IsEmpty());
  world_.server.set(StoreServer::State::down);
  world_.server.set(StoreServer::State::down);
  EXPECT_THAT(told, ElementsAre("first", "second"));
  world_.server.set(StoreServer::State::up);
  world_.server.forget(first);
  world_.server.set(StoreServer::State::down);
  EXPECT_THAT(told, ElementsAre("first", "second", "second"));
}

// --- failover ---

TEST_F(StoreServerTest, after_a_failover_the_state_is_that_without_the_last_writes) {
  write(start_of(run_));
  set("a", "1");
  const auto kept = write(append_to(run_, 1));
  const auto commit = write(append_to(run_, 2));
  const auto other = set("a", "2");
  const auto last = write(append_to(run_, 3));
  EXPECT_EQ(world_.server.fail_over(3), 2u) << "commits among the lost writes";
  EXPECT_EQ(world_.entries(run_), 2u);
  EXPECT_EQ(setting("a"), "1");
  EXPECT_FALSE(world_.server.has_lost(kept.serial));
  EXPECT_TRUE(world_.server.has_lost(commit.serial));
  EXPECT_TRUE(world_.server.has_lost(other.serial));
  EXPECT_TRUE(world_.server.has_lost(last.serial));
}

TEST_F(StoreServerTest, what_is_written_after_a_failover_is_not_taken_for_what_was_lost) {
  write(start_of(run_));
  write(append_to(run_, 1));
  world_.server.fail_over(1);
  const auto again = write(append_to(run_, 1));
  EXPECT_FALSE(world_.server.has_lost(again.serial));
  EXPECT_EQ(world_.entries(run_), 2u);
  // A second failover forgets what came after the first one.
  EXPECT_EQ(world_.server.fail_over(1), 1u);
  EXPECT_TRUE(world_.server.has_lost(again.serial));
  EXPECT_EQ(world_.entries(run_), 1u);
}

TEST_F(StoreServerTest, a_refused_write_is_refused_again_by_the_copy) {
  write(start_of(run_));
  write(append_to(run_, 7));
  write(append_to(run_, 1));
  set("a", "1");
  EXPECT_EQ(world_.server.fail_over(1), 0u);
  EXPECT_EQ(world_.entries(run_), 2u);
  EXPECT_EQ(setting("a"), "");
}

TEST_F(StoreServerTest, more_than_there_is_can_not_be_lost) {
  write(start_of(run_));
  EXPECT_EQ(world_.server.fail_over(100), 1u);
  EXPECT_EQ(world_.entries(run_), 0u);
  EXPECT_EQ(world_.server.fail_over(100), 0u);
}

TEST_F(StoreServerTest, a_failover_breaks_connections_also_if_it_loses_nothing) {
  int told = 0;
  world_.server.on_down([&] { ++told; });
  write(start_of(run_));
  world_.server.fail_over(0);
  EXPECT_EQ(told, 1);
  world_.server.fail_over(1);
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace ganglion::sim

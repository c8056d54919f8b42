#include "sim/world/store_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
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

std::string name_of(const CommitOutcome& outcome) {
  struct Name {
    std::string operator()(const Committed&) const { return "committed"; }
    std::string operator()(const VersionConflict& conflict) const {
      return "conflict at " + std::to_string(conflict.actual_version);
    }
    std::string operator()(const KeyTaken&) const { return "key taken"; }
    std::string operator()(const StateMoved&) const { return "state moved"; }
    std::string operator()(const StoreUnavailable&) const { return "unavailable"; }
  };
  return std::visit(Name(), outcome);
}

class StoreLinkTest : public ::testing::Test {
 protected:
  Store::Completion<CommitOutcome> note(std::string name) {
    return [this, name = std::move(name)](const CommitOutcome& outcome) {
      story_.push_back(name + ": " + name_of(outcome));
    };
  }
  // The number of entries, or the error.
  Store::Completion<Result<std::vector<JournalEntry>>> note_journal(std::string name) {
    return [this, name = std::move(name)](const Result<std::vector<JournalEntry>>& journal) {
      story_.push_back(name + ": " + (journal ? std::to_string(journal->size()) : journal.error().code));
    };
  }
  // The link's next write is executed, but its answer is lost.
  void commit_ambiguously(Commit commit, std::string name) {
    const std::uint64_t writes = world_.server.writes();
    process_.faults.lost_answer = 1;
    link().commit(std::move(commit), note(std::move(name)));
    world_.run(SimTime(500));
    process_.faults.lost_answer = 0;
    ASSERT_EQ(world_.server.writes(), writes + 1);
  }
  StoreLink& link() { return *process_.link; }

  StoreWorld world_;
  StoreProcess process_{world_};
  std::vector<std::string> story_;
  const RunId run_ = run_number(1);
};

constexpr SimTime kSecond{1'000'000};

// --- the port's contract ---

TEST_F(StoreLinkTest, answers_come_in_the_order_of_the_calls_and_never_inside_them) {
  link().commit(start_of(run_), note("a"));
  link().read_journal(run_, 0, 10, note_journal("b"));
  link().commit(append_to(run_, 1), note("c"));
  link().commit(append_to(run_, 1), note("d"));
  link().read_journal(run_, 0, 10, note_journal("e"));
  EXPECT_THAT(story_, IsEmpty());
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed", "b: 1", "c: committed", "d: conflict at 2", "e: 2"));
}

TEST_F(StoreLinkTest, a_call_costs_the_way_and_the_work) {
  world_.commit(link(), start_of(run_));
  EXPECT_GE(world_.timeline.now(), SimTime(30 + 150 + 30));
  EXPECT_LE(world_.timeline.now(), SimTime(120 + 150 + 120));
}

TEST_F(StoreLinkTest, a_read_sees_what_another_process_has_completed) {
  StoreProcess other(world_, "engine-2");
  EXPECT_EQ(name_of(world_.commit(*other.link, start_of(run_))), "committed");
  link().read_journal(run_, 0, 10, note_journal("read"));
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("read: 1"));
}

TEST_F(StoreLinkTest, of_two_processes_that_write_at_one_version_one_wins) {
  StoreProcess other(world_, "engine-2");
  world_.commit(link(), start_of(run_));
  link().commit(append_to(run_, 1), note("a"));
  other.link->commit(append_to(run_, 1), note("b"));
  world_.run(kSecond);
  std::ranges::sort(story_);
  EXPECT_TRUE(story_ == std::vector<std::string>({"a: committed", "b: conflict at 2"}) ||
              story_ == std::vector<std::string>({"a: conflict at 2", "b: committed"}));
  EXPECT_EQ(world_.entries(run_), 2u);
}

TEST_F(StoreLinkTest, the_server_tells_of_every_commit_once_in_order) {
  world_.server.on_commit([&](const Commit& commit, const CommitOutcome& outcome) {
    story_.push_back(std::to_string(commit.expected_version) + " " + name_of(outcome));
  });
  link().commit(start_of(run_), [](const CommitOutcome&) {});
  link().commit(append_to(run_, 4), [](const CommitOutcome&) {});
  process_.faults.lost_answer = 1;
  world_.run(SimTime(1'000));
  process_.faults.lost_answer = 0;
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("0 committed", "4 conflict at 1"));
}

// --- broken connections ---

TEST_F(StoreLinkTest, a_call_whose_answer_was_lost_is_executed_once_and_answered_rightly) {
  commit_ambiguously(start_of(run_), "a");
  EXPECT_THAT(story_, IsEmpty());
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
  EXPECT_EQ(world_.server.writes(), 1u);
}

TEST_F(StoreLinkTest, an_ambiguous_conflict_stays_one) {
  world_.commit(link(), start_of(run_));
  commit_ambiguously(append_to(run_, 3), "a");
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: conflict at 1"));
}

TEST_F(StoreLinkTest, calls_behind_an_ambiguous_one_keep_their_order) {
  process_.faults.lost_answer = 1;
  link().commit(start_of(run_), note("a"));
  link().commit(append_to(run_, 1), note("b"));
  link().read_journal(run_, 0, 10, note_journal("c"));
  world_.run(SimTime(500));
  process_.faults.lost_answer = 0;
  link().commit(append_to(run_, 2), note("never left"));
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed", "b: committed", "c: 2", "never left: unavailable"));
  EXPECT_EQ(world_.entries(run_), 2u);
}

TEST_F(StoreLinkTest, an_answer_on_its_way_when_the_connection_breaks_comes_on_the_next_one) {
  link().commit(start_of(run_), note("a"));
  while (world_.server.writes() == 0) world_.timeline.step(kSecond);
  link().cut();
  link().mend();
  world_.run(SimTime(99'000));
  EXPECT_THAT(story_, IsEmpty());
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
  EXPECT_EQ(world_.server.writes(), 1u);
}

TEST_F(StoreLinkTest, a_refused_call_was_never_executed) {
  process_.faults.refused = 1;
  link().commit(start_of(run_), note("a"));
  link().read_journal(run_, 0, 10, note_journal("b"));
  EXPECT_THAT(story_, IsEmpty()) << "never inside the call";
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: unavailable", "b: unavailable"));
  EXPECT_EQ(world_.server.writes(), 0u);
}

TEST_F(StoreLinkTest, a_cut_link_refuses_until_it_is_mended) {
  link().cut();
  link().commit(start_of(run_), note("a"));
  world_.run(kSecond);
  link().commit(start_of(run_), note("b"));
  link().mend();
  link().commit(start_of(run_), note("c"));
  world_.run(SimTime(200'000));
  link().commit(start_of(run_), note("d"));
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: unavailable", "b: unavailable", "c: unavailable", "d: committed"));
}

// --- the server's states ---

TEST_F(StoreLinkTest, a_server_that_is_down_executes_nothing_and_goes_on_when_it_is_up) {
  link().commit(start_of(run_), note("under way"));
  world_.run(SimTime(10));
  world_.server.set(StoreServer::State::down);
  link().commit(start_of(run_number(2)), note("refused"));
  world_.run(5 * kSecond);
  EXPECT_THAT(story_, IsEmpty()) << "in order: the first call may still be executed";
  EXPECT_EQ(world_.server.writes(), 0u);
  world_.server.set(StoreServer::State::up);
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("under way: committed", "refused: unavailable"));
  EXPECT_EQ(world_.entries(run_number(2)), 0u);
}

TEST_F(StoreLinkTest, a_process_that_starts_while_the_server_is_down_is_not_connected) {
  world_.server.set(StoreServer::State::down);
  StoreProcess late(world_, "engine-2");
  late.link->commit(start_of(run_), note("a"));
  late.link->read_journal(run_, 0, 10, note_journal("b"));
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: unavailable", "b: unavailable"));
  EXPECT_EQ(world_.server.writes(), 0u);
  world_.server.set(StoreServer::State::up);
  world_.run(kSecond);
  EXPECT_EQ(name_of(world_.commit(*late.link, start_of(run_))), "committed");
}

TEST_F(StoreLinkTest, a_full_disk_refuses_writes_and_answers_reads) {
  world_.commit(link(), start_of(run_));
  world_.server.set(StoreServer::State::full);
  link().commit(append_to(run_, 1), note("a"));
  link().read_journal(run_, 0, 10, note_journal("b"));
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: unavailable", "b: 1"));
  world_.server.set(StoreServer::State::up);
  EXPECT_EQ(name_of(world_.commit(link(), append_to(run_, 1))), "committed");
}

TEST_F(StoreLinkTest, what_was_executed_before_the_disk_was_full_is_not_called_refused) {
  commit_ambiguously(start_of(run_), "a");
  world_.server.set(StoreServer::State::full);
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
}

TEST_F(StoreLinkTest, a_refusal_of_a_full_disk_that_was_lost_on_its_way_binds_nobody) {
  world_.server.set(StoreServer::State::full);
  const std::uint64_t steps = world_.timeline.steps();
  link().commit(start_of(run_), note("a"));
  while (world_.timeline.steps() == steps) world_.timeline.step(kSecond);  // it has arrived
  link().cut();
  link().mend();
  world_.server.set(StoreServer::State::up);
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
  EXPECT_EQ(world_.entries(run_), 1u);
}

// --- failover ---

TEST_F(StoreLinkTest, an_ambiguous_call_that_a_failover_kept_is_not_executed_again) {
  commit_ambiguously(start_of(run_), "a");
  world_.server.fail_over(0);
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
  EXPECT_EQ(world_.server.writes(), 1u);
  EXPECT_EQ(process_.deaths, 0);
}

TEST_F(StoreLinkTest, a_process_that_finds_that_writes_were_lost_ends_and_sends_nothing_again) {
  StoreProcess other(world_, "engine-2");
  commit_ambiguously(start_of(run_), "a");
  world_.commit(*other.link, start_of(run_number(2)));
  EXPECT_EQ(world_.server.fail_over(1), 1u) << "the other one's";
  world_.run(kSecond);
  EXPECT_EQ(process_.deaths, 1);
  EXPECT_EQ(other.deaths, 1);
  EXPECT_THAT(story_, IsEmpty());
  EXPECT_EQ(world_.server.writes(), 2u);
  EXPECT_EQ(world_.entries(run_), 1u);
  EXPECT_EQ(world_.entries(run_number(2)), 0u);
}

TEST_F(StoreLinkTest, a_process_that_starts_after_writes_were_lost_lives) {
  world_.commit(link(), start_of(run_));
  world_.server.set(StoreServer::State::down);
  world_.server.fail_over(1);
  StoreProcess late(world_, "engine-2");
  world_.server.set(StoreServer::State::up);
  world_.run(kSecond);
  EXPECT_EQ(name_of(world_.commit(*late.link, start_of(run_))), "committed");
  EXPECT_EQ(late.deaths, 0);
}

// --- processes that stop or die ---

TEST_F(StoreLinkTest, a_process_that_dies_before_a_write_has_written_nothing) {
  process_.faults.dies_before_write = 1;
  link().read_journal(run_, 0, 10, note_journal("read"));
  world_.run(kSecond);
  link().commit(start_of(run_), note("a"));
  EXPECT_EQ(process_.deaths, 1);
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("read: not_found"));
  EXPECT_EQ(world_.server.writes(), 0u);
}

TEST_F(StoreLinkTest, a_process_that_dies_after_a_write_has_written_and_never_hears_of_it) {
  process_.faults.dies_after_write = 1;
  link().commit(start_of(run_), note("a"));
  world_.run(kSecond);
  EXPECT_EQ(process_.deaths, 1);
  EXPECT_THAT(story_, IsEmpty());
  EXPECT_EQ(world_.entries(run_), 1u);
}

TEST_F(StoreLinkTest, nothing_leaves_and_nothing_comes_after_a_stop_at_any_step) {
  for (std::uint64_t stop_at = 0; stop_at < 30; ++stop_at) {
    StoreWorld world(stop_at);
    StoreProcess process(world);
    story_.clear();
    process.link->commit(start_of(run_), note("a"));
    process.link->read_journal(run_, 0, 10, note_journal("b"));
    while (world.timeline.steps() < stop_at && world.timeline.step(kSecond)) {
    }
    const std::size_t heard = story_.size();
    const std::uint64_t written = world.server.writes();
    process.link->stop();
    process.link->commit(start_of(run_number(2)), note("c"));
    process.link->cut();
    process.link->mend();
    world.run(10 * kSecond);
    EXPECT_EQ(story_.size(), heard) << "stopped at step " << stop_at;
    EXPECT_EQ(world.server.writes(), written);
  }
}

TEST_F(StoreLinkTest, a_link_goes_at_any_step_with_everything_that_it_was_given) {
  for (std::uint64_t end_at = 0; end_at < 40; ++end_at) {
    StoreWorld world(end_at);
    StoreProcess process(world);
    const auto held = std::make_shared<int>(0);
    const auto hold = [held](const auto&) { ++*held; };
    process.faults.lost_answer = end_at % 2 == 0 ? 0 : 0.5;
    for (std::uint64_t n = 1; n <= 4; ++n) process.link->commit(start_of(run_number(n)), hold);
    process.link->read_journal(run_, 0, 10, hold);
    while (world.timeline.steps() < end_at && world.timeline.step(kSecond)) {
    }
    const int heard = *held;
    process.link.reset();
    world.run(SimTime(0));
    EXPECT_EQ(held.use_count(), 2) << "ended at step " << end_at;
    world.run(10 * kSecond);
    EXPECT_EQ(*held, heard) << "nobody is told after the end";
  }
}

TEST_F(StoreLinkTest, a_link_that_has_gone_is_forgotten_by_the_server) {
  process_.link.reset();
  world_.server.set(StoreServer::State::down);
  world_.run(kSecond);
}

TEST_F(StoreLinkTest, a_paused_process_connects_again_only_when_it_goes_on) {
  link().commit(start_of(run_), note("a"));
  link().cut();
  link().mend();
  process_.clock.pause();
  world_.run(5 * kSecond);
  EXPECT_EQ(world_.server.writes(), 0u) << "a stopped process sends nothing";
  process_.clock.go_on();
  world_.run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: committed"));
}

}  // namespace
}  // namespace ganglion::sim

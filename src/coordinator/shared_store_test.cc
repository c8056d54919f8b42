// What engines do to each other over one store, and to runs that somebody has ended: found by simulation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::Process;
using testing::ProjectBuilder;
using testing::VirtualClock;
using testing::World;

// Asks an agent, then counts up in the session.
std::shared_ptr<const Project> counting() {
  return ProjectBuilder()
      .agent_step("a", {})
      .set_step("s", {.needs = {"a"}, .input = "${{ has(state.n) ? state.n + 1 : 1 }}"}, "n")
      .build();
}

class SharedStore : public ::testing::Test {
 protected:
  RunId start(Process& process) {
    StartRequest request;
    request.workflow = "w";
    request.session_id = "s";
    std::optional<RunId> run;
    process.coordinator.start_run(std::move(request), [&](Result<StartedRun> started) { run = started->id; });
    turn();
    return run.value();
  }
  void succeed(Process& process) {
    std::optional<Verdict> verdict;
    process.coordinator.report(
        {process.queue.take().token, TaskSuccess{Payload("1")}, "w1", process.clock.now()},
        [&](Result<Verdict> result) { verdict = *result; });
    turn();
    EXPECT_EQ(verdict, Verdict::accepted);
  }
  void turn() {
    for (int i = 0; i < 5; ++i) {
      clock.run();
      late.run();
    }
  }
  std::vector<JournalEntry> journal(const RunId& run) {
    std::vector<JournalEntry> entries;
    store.read_journal(run, 0, 1000, [&](Result<std::vector<JournalEntry>> read) { entries = *read; });
    turn();
    return entries;
  }

  VirtualClock clock;
  VirtualClock late{clock.now() - Duration(60'000)};
  memory::Store store{clock};
};

TEST_F(SharedStore, EnginesThatCountInOneSessionLoseNothing) {
  // Given two engines that both know the session as it was at first …
  Process here(clock, store, counting());
  Process there(clock, store, counting());
  start(here);
  start(there);
  start(there);

  // … when one counts after the other …
  succeed(here);
  succeed(there);
  succeed(there);

  // … then each has counted from what the other one wrote.
  std::string n;
  store.read_state("s", std::nullopt,
                   [&](Result<StateSnapshot> state) { n = state->entries.at("n").value.bytes(); });
  turn();
  EXPECT_EQ(n, "3");
}

TEST_F(SharedStore, TheTimeOfAJournalNeverGoesBackWhoeversClockIsBehind) {
  Process here(clock, store, counting());
  const RunId run = start(here);
  // Given an engine whose clock is a minute behind …
  Process there(late, store, counting());
  turn();
  ASSERT_EQ(there.queue.tasks.size(), 1u);

  // … when it decides …
  succeed(there);

  // … then not at a time before what was decided already.
  Timestamp last;
  for (const JournalEntry& entry : journal(run)) {
    EXPECT_GE(entry.at, last) << entry.type;
    last = entry.at;
  }
  EXPECT_GT(journal(run).size(), 2u);
}

TEST(EndedRun, ThatIsRetriedSeesTheSessionAsItIsNow) {
  // Given a run that was cancelled before it counted, and another one that has counted since …
  World world(counting());
  world.worker = [](const Task&) { return std::nullopt; };
  const RunId run = world.start({.session = "s"});
  ASSERT_TRUE(world.submit(run, Cancel{"no"}));
  world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  world.start({.session = "s"});
  world.work();

  // … when it is retried by an engine that has not looked at the session …
  world.restart();
  ASSERT_TRUE(world.submit(run, Retry{}));
  world.work();

  // … then it goes on counting.
  EXPECT_EQ(world.status(run), "completed");
  EXPECT_EQ(world.state("s").entries.at("n").value.bytes(), "2");
}

TEST(EndedRun, ThatIsRetriedAndEndsAgainInOneCommitIsListedWithItsNewEnd) {
  // Given a cancelled run …
  World world(counting());
  world.worker = [](const Task&) { return std::nullopt; };
  const RunId run = world.start({.session = "s"});
  ASSERT_TRUE(world.submit(run, Cancel{"no"}));
  const auto first_end = world.runs().front().ended_at;
  world.pass(Duration(5'000));

  // … when it is retried and cancelled so fast that both are decided together …
  world.process->store.holding = true;
  for (const Input& input :
       {Input(Retry{}), Input(Cancel{"again"}), Input(Retry{}), Input(Cancel{"again"})}) {
    world.process->coordinator.submit(run, input, [](Result<void>) {});
  }
  world.process->store.release();
  world.settle();

  // … then it ended now.
  EXPECT_GT(world.runs().front().ended_at, first_end);
  world.verify();
}

}  // namespace
}  // namespace ganglion

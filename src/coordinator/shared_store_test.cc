// What engines do to each other over one store, and to runs that somebody has ended: found by simulation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/event_codec.h"
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
  // Each makes ids of its own.
  struct Engine {
    explicit Engine(SharedStore& test, std::uint64_t first)
        : random(first),
          process(test.clock, test.store, {{test.project->source, test.project}}, test.project, plan, random,
                  {.sharing = StoreSharing::shared}, {}) {}

    struct From final : Random {
      explicit From(std::uint64_t first) : last(first) {}
      std::uint64_t next() override { return ++last; }
      std::uint64_t last;
    };
    From random;
    testing::FaultPlan plan;
    Process process;
  };

  RunId start(Engine& engine) {
    StartRequest request;
    request.workflow = "w";
    request.session_id = "s";
    std::optional<RunId> run;
    engine.process.coordinator.start_run(std::move(request),
                                         [&](Result<StartedRun> started) { run = started->id; });
    clock.run();
    return run.value();
  }
  void succeed(Engine& engine) {
    std::optional<Verdict> verdict;
    engine.process.coordinator.report(
        {engine.process.queue.take().token, TaskSuccess{Payload("1")}, "w1", clock.now()},
        [&](Result<Verdict> result) { verdict = *result; });
    clock.run();
    EXPECT_EQ(verdict, Verdict::accepted);
  }
  std::vector<JournalEntry> journal(const RunId& run) {
    std::vector<JournalEntry> entries;
    store.read_journal(run, 0, 1000, [&](Result<std::vector<JournalEntry>> read) { entries = *read; });
    clock.run();
    return entries;
  }

  VirtualClock clock;
  memory::Store store{clock};
  std::shared_ptr<const Project> project = counting();
};

TEST_F(SharedStore, EnginesThatCountInOneSessionLoseNothing) {
  // Given two engines that both know the session as it was at first …
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
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
  clock.run();
  EXPECT_EQ(n, "3");
}

TEST_F(SharedStore, TheTimeOfAJournalNeverGoesBackWhoeversClockIsBehind) {
  Engine engine(*this, 1'000);
  const RunId run = start(engine);
  // Given that another engine, whose clock is a minute ahead, has paused the run …
  Commit ahead{.run = run, .expected_version = 2, .events = {}, .create = {}, .status = {}, .claim = {}};
  ahead.events.push_back(encode(RunPaused{}, 3, clock.now() + Duration(60'000), project->workflows.at("w")));
  store.commit(std::move(ahead), [](CommitOutcome) {});
  clock.run();

  // … when it is cancelled here …
  engine.process.coordinator.submit(run, Cancel{"no"}, [](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();

  // … then not at a time before that.
  const auto entries = journal(run);
  ASSERT_EQ(entries.back().type, "run_cancelled");
  EXPECT_EQ(entries.back().at, entries[2].at);
}

TEST_F(SharedStore, WhatAnotherEngineHasHandedOutMayBeReportedToOneThatKnowsTheRunAsItWasBefore) {
  // Given two steps, the first of which is done by an engine while another one knows the run as it began …
  project = ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build();
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
  const RunId run = start(here);
  there.process.coordinator.inspect(run, [](const auto&) {});
  clock.run();
  succeed(here);

  // … when the second one is reported to that other one …
  std::optional<Verdict> verdict;
  there.process.coordinator.report(
      {here.process.queue.take().token, TaskSuccess{Payload("2")}, "w1", clock.now()},
      [&](Result<Verdict> result) { verdict = *result; });
  clock.run();

  // … then it counts.
  EXPECT_EQ(verdict, Verdict::accepted);
  EXPECT_EQ(journal(run).back().type, "run_completed");
}

TEST_F(SharedStore, ARunThatAnotherEngineHasMovedOnIsShownAsItIsNow) {
  // Given a run that one engine has looked at and that another one has brought to its end since …
  project = ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build();
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
  const RunId run = start(here);
  const auto status = [&] {
    std::string shown;
    there.process.coordinator.inspect(run, [&](const auto& found) { shown = (*found)->status(); });
    clock.run();
    return shown;
  };
  ASSERT_EQ(status(), "running");
  std::vector<std::uint64_t> told;
  there.process.coordinator.follow(run, [&](std::span<const JournalEntry> entries, const auto&) {
    for (const JournalEntry& entry : entries) told.push_back(entry.seq);
  });
  succeed(here);
  succeed(here);

  // … then the first one shows the end, and whoever follows it there has missed nothing.
  EXPECT_EQ(status(), "completed");
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front(), 3u);
  EXPECT_EQ(told.back(), journal(run).back().seq);
  EXPECT_EQ(there.process.coordinator.open_runs(), 0u);
}

TEST_F(SharedStore, WhoFollowsARunHearsOfTheEndThatAConflictHasShown) {
  // Given a run that somebody follows at one engine and that another one brings to its end …
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
  const RunId run = start(here);
  there.process.coordinator.inspect(run, [](const auto&) {});
  clock.run();
  std::string seen;
  there.process.coordinator.follow(run, [&](auto, const auto& now) { seen = now.status(); });
  const AttemptToken token = here.process.queue.tasks.front().token;
  succeed(here);

  // … when the same result comes to the first one, which takes the run for unfinished …
  there.process.coordinator.report({token, TaskSuccess{Payload("1")}, "w1", clock.now()}, [](auto) {});
  clock.run();

  // … then whoever follows knows.
  EXPECT_EQ(seen, "completed");
}

TEST_F(SharedStore, WhatSeemsToBeSoAlreadyIsAskedOfTheStore) {
  // Given a run that one engine knows as running and that another one has paused …
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
  const RunId run = start(here);
  there.process.coordinator.inspect(run, [](const auto&) {});
  clock.run();
  here.process.coordinator.submit(run, Pause{}, [](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();

  // … when the first one is asked to resume it …
  there.process.coordinator.submit(run, Resume{}, [](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();

  // … then it is resumed.
  EXPECT_EQ(journal(run).back().type, "run_resumed");
}

TEST_F(SharedStore, AStoreThatIsAwayIsNoReasonToShowWhatMayBeOld) {
  Engine here(*this, 1'000);
  const RunId run = start(here);
  here.process.store.unavailable = true;
  std::string code;
  here.process.coordinator.inspect(run, [&](const auto& found) { code = found ? "" : found.error().code; });
  clock.run();
  EXPECT_EQ(code, "unavailable");
  here.process.store.unavailable = false;
  here.process.coordinator.inspect(run, [&](const auto& found) { EXPECT_TRUE(found); });
  clock.run();
}

TEST_F(SharedStore, ASubRunIsNotCalledOffByAnEngineThatKnowsItsParentAsItWasBefore) {
  // Given a parent that another engine knows as it was before it started a sub-run …
  project = testing::assembled(
      ProjectBuilder().agent_step("a", {}).sub_run_step("s", {.needs = {"a"}}, "inner").build(),
      {{"inner", ProjectBuilder().agent_step("i", {}).build()}});
  Engine here(*this, 1'000);
  Engine there(*this, 2'000);
  const RunId parent = start(here);
  there.process.coordinator.inspect(parent, [](const auto&) {});
  clock.run();
  succeed(here);

  // … when the sub-run's task is reported to that one …
  const AttemptToken token = here.process.queue.take().token;
  std::optional<Verdict> verdict;
  there.process.coordinator.report({token, TaskSuccess{Payload("2")}, "w1", clock.now()},
                                   [&](Result<Verdict> result) { verdict = *result; });
  clock.run();

  // … then both complete.
  EXPECT_EQ(verdict, Verdict::accepted);
  EXPECT_EQ(journal(token.run).back().type, "run_completed");
  EXPECT_EQ(journal(parent).back().type, "run_completed");
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

// The state that runs share: never behind a run's own writes, and the store's in the end.

#include "coordinator/sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using testing::Fault;
using ::testing::HasSubstr;
using testing::ProjectBuilder;
using ::testing::SizeIs;
using testing::with_every_fault;
using testing::World;

auto world_of(std::shared_ptr<const Project> project, SessionsOptions sessions = {}) {
  return [project, sessions] { return std::make_unique<World>(project, CoordinatorOptions(), sessions); };
}

// Writes x, reads it in the same decision, asks an agent, writes it again and reads it again.
std::shared_ptr<const Project> reading_and_writing() {
  return ProjectBuilder()
      .set_step("s1", {.input = "${{ input }}1"}, "x")
      .transform_step("t1", {.needs = {"s1"}}, "${{ state.x }}")
      .agent_step("a", {.needs = {"t1"}})
      .set_step("s2", {.needs = {"a"}, .input = "${{ state.x }}2"}, "x")
      .transform_step("t2", {.needs = {"s2"}}, "${{ state.x }}")
      .output("${{ [steps.t1.output, steps.t2.output] }}")
      .build();
}

TEST(SessionState, ARunSeesWhatItHasWritten) {
  with_every_fault(world_of(reading_and_writing()), [](World& world) {
    const RunId run = world.start({.input = R"("a")", .session = "s"});
    world.work();
    EXPECT_THAT(world.json(run), HasSubstr(R"("output":["a1","a12"])"));
    EXPECT_EQ(world.state("s").version, 2u) << "each write is made once";
    EXPECT_EQ(world.state("s").entries.at("x").value.bytes(), R"("a12")");
  });
}

TEST(SessionState, ARunSeesWhatItHasWrittenWhereNoSessionStaysInMemory) {
  const auto project = reading_and_writing();
  with_every_fault(world_of(project, {.kept = 1}), [](World& world) {
    const RunId one = world.start({.input = R"("a")", .session = "s"});
    const RunId two = world.start({.input = R"("b")", .session = "t"});
    world.work();
    EXPECT_THAT(world.json(one), HasSubstr(R"("output":["a1","a12"])"));
    EXPECT_THAT(world.json(two), HasSubstr(R"("output":["b1","b12"])"));
  });
}

// Each of its iterations counts one up.
std::shared_ptr<const Project> counting() {
  ProjectBuilder builder;
  builder.agent_step("a0", {});
  for (int i = 0; i < 5; ++i) {
    const std::string number = std::to_string(i);
    builder.set_step("s" + number,
                     {.needs = {"a" + number}, .input = "${{ has(state.n) ? state.n + 1 : 1 }}"}, "n");
    builder.agent_step("a" + std::to_string(i + 1), {.needs = {"s" + number}});
  }
  return builder.build();
}

TEST(SessionState, RunsThatWriteOneAfterAnotherLoseNothing) {
  with_every_fault(world_of(counting()), [](World& world) {
    const RunId one = world.start({.session = "s"});
    world.work();
    const RunId two = world.start({.session = "s"});
    world.work();
    EXPECT_EQ(world.status(one), "completed");
    EXPECT_EQ(world.status(two), "completed");
    EXPECT_EQ(world.state("s").entries.at("n").value.bytes(), "10");
    EXPECT_EQ(world.state("s").version, 10u);
  });
}

TEST(SessionState, RunsThatWriteAtTheSameTimeLoseNothing) {
  with_every_fault(world_of(counting()), [](World& world) {
    std::vector<RunId> runs;
    for (int i = 0; i < 4; ++i) runs.push_back(world.start({.session = "s"}));
    world.work();
    for (const RunId& run : runs) EXPECT_EQ(world.status(run), "completed");
    EXPECT_EQ(world.state("s").entries.at("n").value.bytes(), "20");
    EXPECT_EQ(world.state("s").version, 20u);
  });
}

TEST(SessionState, WhatIsInMemoryIsWhatTheStoreHas) {
  // Two runs and a client write the same session, in every order of the store's answers.
  for (int between = 0; between < 12; ++between) {
    SCOPED_TRACE(between);
    World world(counting());
    const RunId one = world.start({.session = "s"});
    const RunId two = world.start({.session = "s"});
    world.process->store.holding = true;
    for (const Task& task : std::exchange(world.process->queue.tasks, {}))
      world.process->coordinator.report({.token = task.token,
                                         .outcome = TaskSuccess{Payload("1")},
                                         .worker = "w",
                                         .started_at = world.clock.now()},
                                        [](Result<Verdict>) {});
    for (int i = 0; i < between; ++i) {
      world.process->store.release_one();
      world.clock.run();
    }
    world.process->sessions.write("s", {.key = "client", .value = Payload("5"), .expires_at = {}},
                                  KeyAbsent{},
                                  [](StateOutcome outcome) { EXPECT_TRUE(outcome.has_value()); });
    world.process->store.release();
    world.work();
    EXPECT_EQ(world.status(one), "completed");
    EXPECT_EQ(world.status(two), "completed");
    Sessions::Snapshot known;
    world.process->sessions.load("s", [&](const Result<Sessions::Snapshot>& state) { known = *state; });
    world.clock.run();
    EXPECT_EQ(*known, world.state("s"));
    EXPECT_EQ(known->entries.at("client").value.bytes(), "5");
    world.verify();
  }
}

TEST(SessionState, AConditionalWriteIsRefusedWhereARunHasWritten) {
  World world(reading_and_writing());
  const RunId run = world.start({.input = R"("a")", .session = "s"});
  bool refused = false;
  world.process->sessions.write("s", {.key = "x", .value = Payload("5"), .expires_at = {}}, KeyAbsent{},
                                [&](StateOutcome outcome) { refused = !outcome.has_value(); });
  world.clock.run();
  EXPECT_TRUE(refused);
  std::uint64_t version = 0;
  world.process->sessions.write("s", {.key = "x", .value = Payload(R"("c")"), .expires_at = {}},
                                KeyVersion{1}, [&](StateOutcome outcome) { version = outcome.value_or(0); });
  world.work();
  EXPECT_EQ(version, 2u);
  EXPECT_THAT(world.json(run), HasSubstr(R"("output":["a1","c2"])"));
}

TEST(SessionState, ExpiredKeysAreGoneForRunsBeforeTheSweepAndFromTheStoreAfterIt) {
  auto project = ProjectBuilder()
                     .set_step("s", {.input = "1"}, "scratch.x")
                     .agent_step("a", {.needs = {"s"}})
                     .transform_step("t", {.needs = {"a"}}, "${{ has(state.scratch) }}")
                     .output("${{ steps.t.output }}")
                     .build();
  World world(project, {}, {.sweep_every = Duration(3'600'000)});
  world.worker = [](const Task&) -> std::optional<testing::Outcome> { return std::nullopt; };
  const RunId run = world.start({.session = "s"});
  world.pass(kScratchTtl);
  world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  world.work();
  EXPECT_THAT(world.json(run), HasSubstr(R"("output":false)"));
  EXPECT_THAT(world.state("s").entries, SizeIs(1));
  world.pass(Duration(3'600'000));
  EXPECT_THAT(world.state("s").entries, SizeIs(0));
  EXPECT_EQ(world.state("s").version, 2u);
  world.verify();
}

TEST(SessionState, ReadingASessionEndsWhereOthersAreWritten) {
  testing::VirtualClock clock;
  memory::Store store(clock);
  testing::FaultPlan plan;
  testing::FaultyStore held(store, clock, plan);
  Sessions sessions(held, clock);
  held.holding = true;
  bool loaded = false;
  sessions.load("one", [&](const Result<Sessions::Snapshot>& state) { loaded = state.has_value(); });
  for (int i = 0; i < 10 && !loaded; ++i) {
    sessions.wrote({"other", {}}, static_cast<std::uint64_t>(i) + 1);
    held.release_one();
    clock.run();
  }
  EXPECT_TRUE(loaded);
  EXPECT_EQ(held.state_reads, 1);
}

TEST(SessionState, AWriteDuringTheReadingIsNotMissed) {
  testing::VirtualClock clock;
  memory::Store store(clock);
  testing::FaultPlan plan;
  testing::FaultyStore between(store, clock, plan);
  Sessions sessions(between, clock);
  Sessions::Snapshot seen;
  sessions.load("s", [&](const Result<Sessions::Snapshot>& state) { seen = *state; });
  // The store has answered the reading with version 0, and then takes a write whose answer comes first.
  store.write_state("s", {.key = "x", .value = Payload("1"), .expires_at = {}}, AnyVersion{},
                    [](StateOutcome) {});
  sessions.wrote({"s", {{.key = "x", .value = Payload("1"), .expires_at = {}}}}, 1);
  clock.run();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->version, 1u);
}

TEST(SessionState, ResultsWriteIt) {
  auto base = ProjectBuilder()
                  .agent_step("a", {})
                  .set_step("s", {.needs = {"a"}, .input = "${{ state.x }}!"}, "y")
                  .build();
  auto project = assembled(base);
  project->agents.at("worker").state.write = {"x"};
  with_every_fault(world_of(project), [](World& world) {
    world.worker = [](const Task&) {
      return TaskSuccess{.output = Payload("1"),
                         .usage = {},
                         .events = {},
                         .state = {{.key = "x", .value = Payload(R"("hi")"), .expires_at = {}}}};
    };
    world.start({.session = "s"});
    world.work();
    EXPECT_EQ(world.state("s").entries.at("y").value.bytes(), R"("hi!")");
    EXPECT_THAT(world.state("s").entries, SizeIs(2));
  });
}

}  // namespace
}  // namespace ganglion

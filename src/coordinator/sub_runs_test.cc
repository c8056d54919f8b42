// Runs that perform tasks of other runs: they start, end, fail, are called off and put on hold with them,
// whatever happens to the store and to the process meanwhile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Fault;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ProjectBuilder;
using ::testing::SizeIs;
using testing::StepSpec;
using testing::with_every_fault;
using testing::World;

const RetryPolicy kTwice{.max_attempts = 2,
                         .backoff = Backoff::constant,
                         .initial = Duration(100),
                         .max = Duration(100),
                         .jitter = 0};

// w: a (agent) → s (sub-run of `middle`, which is a sub-run of `inner`, whose step is i (agent)) → z (agent)
std::shared_ptr<const Project> nested(const StepSpec& sub = {.needs = {"a"}}) {
  auto inner = ProjectBuilder().agent_step("i", {}).build();
  auto middle = ProjectBuilder().sub_run_step("m", {}, "inner").build();
  auto outer = ProjectBuilder()
                   .agent_step("a", {})
                   .sub_run_step("s", sub, "middle")
                   .agent_step("z", {.needs = {"s"}, .input = "${{ steps.s.output }}"})
                   .build();
  return assembled(outer, {{"inner", inner}, {"middle", middle}});
}

auto world_of(std::shared_ptr<const Project> project) {
  return [project] { return std::make_unique<World>(project); };
}

TEST(SubRuns, TheirOutputIsTheTasks) {
  with_every_fault(world_of(nested()), [](World& world) {
    const RunId run = world.start({.input = "5"});
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    const auto children = world.children(run);
    ASSERT_THAT(children, SizeIs(1));
    EXPECT_THAT(world.children(children[0]), SizeIs(1));
    EXPECT_THAT(world.runs(), SizeIs(3)) << "nothing happens twice";
    for (const auto& record : world.runs()) EXPECT_EQ(record.status, "completed");
    EXPECT_THAT(world.json(run), HasSubstr(R"("run_id":")" + children[0].text()));
  });
}

TEST(SubRuns, HaveTheSessionThePriorityAndTheLabelsOfTheirParent) {
  World world(nested());
  const RunId run = world.start({.input = "5", .session = "s1", .labels = {{"tenant", "t"}}, .priority = 7});
  world.report(world.take("a").token, TaskSuccess{Payload("1")});
  const Task task = world.take("i");
  EXPECT_EQ(task.session_id, "s1");
  EXPECT_EQ(task.priority, 7);
  EXPECT_EQ(task.fairness_key, "tenant t");
  EXPECT_EQ(task.input.bytes(), "5");
  world.work();
  EXPECT_EQ(world.status(run), "running") << "the task was taken and is not done";
  world.verify();
}

TEST(SubRuns, AFailedOneIsTriedAgainAsAnotherRun) {
  with_every_fault(world_of(nested({.needs = {"a"}, .retry = kTwice})), [](World& world) {
    // Only the first inner run fails.
    RunId first;
    world.worker = [&](const Task& task) -> testing::Outcome {
      if (task.step == "i" && first == RunId()) first = task.token.run;
      if (task.token.run == first) return TaskFailure{"boom", "it broke", false};
      return TaskSuccess{Payload("1")};
    };
    const RunId run = world.start();
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.children(run), SizeIs(2));
    EXPECT_THAT(world.runs(), SizeIs(5));
    EXPECT_THAT(world.records(RecordKind::dead_letter), SizeIs(2))
        << "the inner step's and the middle step's";
  });
}

TEST(SubRuns, AFailureForGoodFailsTheParent) {
  with_every_fault(world_of(nested()), [](World& world) {
    world.worker = [](const Task& task) -> testing::Outcome {
      if (task.step == "i") return TaskFailure{"boom", "it broke", false};
      return TaskSuccess{Payload("1")};
    };
    const RunId run = world.start();
    world.work();
    EXPECT_EQ(world.status(run), "failed");
    EXPECT_THAT(world.json(run), HasSubstr(R"("code":"boom")"));
    EXPECT_THAT(world.runs(), SizeIs(3));
    EXPECT_THAT(world.records(RecordKind::dead_letter), SizeIs(3));
  });
}

TEST(SubRuns, ACancelReachesAllOfThem) {
  with_every_fault(world_of(nested()), [](World& world) {
    world.worker = [](const Task& task) -> std::optional<testing::Outcome> {
      if (task.step == "i") return std::nullopt;
      return TaskSuccess{Payload("1")};
    };
    const RunId run = world.start();
    world.work();
    ASSERT_TRUE(world.has_task("i"));
    EXPECT_TRUE(world.submit(run, Cancel{"no"}));
    world.work();
    for (const auto& record : world.runs()) EXPECT_EQ(record.status, "cancelled");
    EXPECT_FALSE(world.has_task("i"));
  });
}

TEST(SubRuns, ACancelRightAfterTheStartReachesThemToo) {
  // Before, between and after the commits that start them.
  for (int released = 0; released < 20; ++released) {
    SCOPED_TRACE(released);
    World world(nested(StepSpec{}));
    world.process->store.holding = true;
    RunId run;
    world.process->coordinator.start_run({.workflow = "w",
                                          .input = Payload("{}"),
                                          .session_id = {},
                                          .labels = {},
                                          .traceparent = {},
                                          .claim = {}},
                                         [&](Result<StartedRun> started) { run = started->id; });
    world.process->store.release_one();
    world.clock.run();
    for (int i = 0; i < released; ++i) {
      world.process->store.release_one();
      world.clock.run();
    }
    world.process->coordinator.submit(run, Cancel{"no"}, [](Result<void>) {});
    world.process->store.release();
    world.work();
    for (const auto& record : world.runs()) EXPECT_EQ(record.status, "cancelled");
    world.verify();
  }
}

TEST(SubRuns, AStepsTimeoutCallsThemOff) {
  with_every_fault(
      world_of(nested({.needs = {"a"}, .timeout = Duration(3000), .on_failure = OnFailure::continue_run})),
      [](World& world) {
        world.worker = [](const Task& task) -> std::optional<testing::Outcome> {
          if (task.step == "i") return std::nullopt;
          return TaskSuccess{Payload("1")};
        };
        const RunId run = world.start();
        world.work();
        world.pass(Duration(3000));
        world.work();
        EXPECT_EQ(world.status(run), "completed");
        for (const RunId& child : world.children(run)) {
          EXPECT_EQ(world.status(child), "cancelled");
          for (const RunId& inner : world.children(child)) EXPECT_EQ(world.status(inner), "cancelled");
        }
      });
}

TEST(SubRuns, AreOnHoldWhileTheirParentIs) {
  with_every_fault(world_of(nested()), [](World& world) {
    world.worker = [](const Task& task) -> std::optional<testing::Outcome> {
      if (task.step == "i") return std::nullopt;
      return TaskSuccess{Payload("1")};
    };
    const RunId run = world.start();
    world.work();
    EXPECT_TRUE(world.submit(run, Pause{}));
    world.work();
    for (const auto& record : world.runs()) EXPECT_EQ(record.status, "paused");
    EXPECT_TRUE(world.submit(run, Resume{}));
    world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
    world.work();
    for (const auto& record : world.runs()) EXPECT_EQ(record.status, "completed");
    EXPECT_THAT(world.runs(), SizeIs(3));
  });
}

TEST(SubRuns, OneThatAPersonHasPutOnHoldStaysOnHold) {
  World world(nested(StepSpec{}));
  world.worker = [](const Task&) -> std::optional<testing::Outcome> { return std::nullopt; };
  const RunId run = world.start();
  const RunId child = world.children(run).at(0);
  ASSERT_TRUE(world.submit(child, Pause{}));
  ASSERT_TRUE(world.submit(run, Pause{}));
  world.work();
  ASSERT_TRUE(world.submit(run, Resume{}));
  world.work();
  EXPECT_EQ(world.status(child), "paused");
  world.restart();
  world.work();
  EXPECT_EQ(world.status(child), "paused");
  EXPECT_EQ(world.status(run), "running");
}

TEST(SubRuns, OneThatComesWithAResumptionStarts) {
  with_every_fault(world_of(nested()), [](World& world) {
    world.worker = [](const Task&) -> std::optional<testing::Outcome> { return std::nullopt; };
    const RunId run = world.start();
    world.work();
    EXPECT_TRUE(world.submit(run, Pause{}));
    world.report(AttemptToken{run, StepIndex(0), ItemIndex(0), Attempt(1)}, TaskSuccess{Payload("1")});
    world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
    EXPECT_TRUE(world.submit(run, Resume{}));
    world.work();
    EXPECT_EQ(world.status(run), "completed");
  });
}

TEST(SubRuns, OneThatIsWantedAndPutOnHoldAtOnceWaits) {
  World world(nested());
  const RunId run = world.start();
  const Task a = world.take("a");
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.report({a.token, TaskSuccess{Payload("1")}, "w1", world.clock.now()},
                                    [](Result<Verdict>) {});
  world.process->coordinator.submit(run, Pause{}, [](Result<void>) {});
  world.process->store.release();
  world.work();
  EXPECT_THAT(world.types(run), ElementsAre("run_created", "task_scheduled", "signal_received",
                                            "task_succeeded", "task_scheduled", "run_paused"));
  EXPECT_TRUE(world.handed_out.empty()) << "a sub-run begins while its parent is on hold";
  world.verify();
  ASSERT_TRUE(world.submit(run, Resume{}));
  world.work();
  EXPECT_EQ(world.status(run), "completed");
  EXPECT_THAT(world.runs(), SizeIs(3));
}

TEST(SubRuns, ACancelAndARetryTogetherCallOffTheOldOneAndStartANewOne) {
  World world(nested());
  world.worker = [](const Task& task) -> std::optional<testing::Outcome> {
    if (task.step == "i") return std::nullopt;
    return TaskSuccess{Payload("1")};
  };
  const RunId run = world.start();
  world.work();
  const RunId old = world.children(run).at(0);
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.submit(run, Cancel{"no"}, [](Result<void>) {});
  world.process->coordinator.submit(run, Retry{}, [](Result<void>) {});
  world.process->store.release();
  world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  world.work();
  EXPECT_EQ(world.status(old), "cancelled");
  EXPECT_EQ(world.status(run), "completed");
  EXPECT_THAT(world.children(run), SizeIs(2));
  world.verify();
}

TEST(SubRuns, ALookAtOneThatIsNotThereYetDoesntKeepItFromStarting) {
  for (int released = 0; released < 12; ++released) {
    SCOPED_TRACE(released);
    World world(nested());
    const RunId run = world.start({.session = "s"});
    const Task a = world.take("a");
    world.process->store.holding = true;
    world.process->coordinator.report({a.token, TaskSuccess{Payload("1")}, "w1", world.clock.now()},
                                      [](Result<Verdict>) {});
    for (int i = 0; i < released; ++i) {
      world.process->store.release_one();
      world.clock.run();
    }
    const RunId child = RunId::of_sub_run({run, StepIndex(1), ItemIndex(0), Attempt(1)}, world.clock.now());
    world.process->coordinator.inspect(child, [](Result<const ganglion::Run*>) {});
    world.process->coordinator.submit(child, Pause{.by_parent = true}, [](Result<void>) {});
    world.process->store.release();
    world.clock.run();
    world.process->coordinator.submit(child, Resume{.by_parent = true}, [](Result<void>) {});
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    world.verify();
  }
}

TEST(SubRuns, AnOpenOneWhoseParentHasEndedIsCalledOffWhenTheEngineStarts) {
  World world(nested(StepSpec{}));
  world.worker = [](const Task&) -> std::optional<testing::Outcome> { return std::nullopt; };
  const RunId run = world.start();
  const RunId child = world.children(run).at(0);
  const RunId inner = world.children(child).at(0);
  // The process ends when the parent is cancelled and nobody below knows.
  world.faults = {Fault::die_after, 1};
  ASSERT_TRUE(world.submit(run, Cancel{"no"}));
  world.work();
  EXPECT_EQ(world.status(child), "cancelled");
  EXPECT_EQ(world.status(inner), "cancelled");
  world.verify();
}

TEST(SubRuns, TheirEndIsToldToAParentThatHasNotHeardOfIt) {
  World world(nested(StepSpec{}));
  const RunId run = world.start();
  const RunId child = world.children(run).at(0);
  const Task task = world.take("i");
  // The inner run ends, then the process.
  world.faults = {Fault::die_after, 1};
  world.report(task.token, TaskSuccess{Payload("7")});
  EXPECT_EQ(world.restarts, 1);
  world.work();
  EXPECT_EQ(world.status(child), "completed");
  EXPECT_EQ(world.status(run), "completed");
  world.verify();
}

TEST(SubRuns, WhatTheyMayUseIsReservedByTheirParent) {
  auto inner = ProjectBuilder().agent_step("i", {}).build();
  auto outer = ProjectBuilder().sub_run_step("s", {}, "inner").budget({.tokens = 100, .usd = {}}).build();
  auto project = assembled(outer, {{"inner", inner}});
  with_every_fault(world_of(project), [](World& world) {
    world.worker = [](const Task&) {
      return TaskSuccess{.output = Payload("1"), .usage = Payload(R"({"tokens":30})")};
    };
    const RunId run = world.start();
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.json(world.children(run).at(0)), HasSubstr(R"("budget":{"tokens":100})"));
    EXPECT_THAT(world.json(run), HasSubstr(R"("usage":{"tokens":30)"));
  });
}

TEST(SubRuns, OfASessionAreStartedWithItsState) {
  auto inner = ProjectBuilder().transform_step("t", {}, "${{ state.x }}").reads_state().build();
  auto outer = ProjectBuilder()
                   .set_step("set", {.input = "5"}, "x")
                   .sub_run_step("s", {.needs = {"set"}}, "inner")
                   .output("${{ steps.s.output.t }}")
                   .build();
  auto project = assembled(outer, {{"inner", inner}});
  with_every_fault(world_of(project), [](World& world) {
    const RunId run = world.start({.session = "s1"});
    world.work();
    EXPECT_THAT(world.json(run), HasSubstr(R"("output":"5")"));
    EXPECT_EQ(world.state("s1").version, 1u);
  });
}

TEST(SubRuns, AWorkflowThatCallsItselfEndsAtTheBound) {
  auto project = ProjectBuilder().sub_run_step("s", {}, "w").build();
  World world(project);
  const RunId run = world.start();
  world.work();
  EXPECT_EQ(world.status(run), "failed");
  EXPECT_THAT(world.runs(), SizeIs(kMaxDepth + 1));
  EXPECT_THAT(world.json(run), HasSubstr("too_deep"));
  world.verify();
}

TEST(SubRuns, OfAMapAreStartedOnceEach) {
  auto inner = ProjectBuilder().agent_step("i", {}).build();
  auto outer =
      ProjectBuilder()
          .sub_run_step("s", {.for_each = "${{ [1, 2, 3] }}", .max_parallel = 2, .input = "${{ item }}"},
                        "inner")
          .build();
  auto project = assembled(outer, {{"inner", inner}});
  with_every_fault(world_of(project), [](World& world) {
    world.worker = [](const Task& task) { return TaskSuccess{task.input}; };
    const RunId run = world.start();
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.runs(), SizeIs(4));
    EXPECT_THAT(world.json(run), HasSubstr(R"("output":{"s":[{"i":1},{"i":2},{"i":3}]})"));
  });
}

}  // namespace
}  // namespace ganglion

// What people look for apart from runs (approvals, dead letters), cached answers, and forks: written with the
// commit that causes them, and gone with the one that settles them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using ::testing::Each;
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

// Nothing is swept meanwhile: each sweep would be one more write to try every fault at.
auto world_of(std::shared_ptr<const Project> project) {
  const SessionsOptions no_sweep{.sweep_every = Duration(24 * 3'600'000)};
  return [=] { return std::make_unique<World>(project, CoordinatorOptions(), no_sweep); };
}

std::optional<testing::Outcome> nobody(const Task&) {
  return std::nullopt;
}

testing::Outcome broken(const Task&) {
  return TaskFailure{"boom", "it broke", false};
}

// --- approvals
// --------------------------------------------------------------------------------------------------------------

std::shared_ptr<const Project> asking(const StepSpec& spec = {}) {
  return ProjectBuilder().approve_step("ok", spec).agent_step("z", {.needs = {"ok"}}).build();
}

TEST(Approvals, AreListedUntilTheyAreDecided) {
  with_every_fault(world_of(asking()), [](World& world) {
    const RunId run = world.start();
    world.work();
    const auto open = world.records(RecordKind::approval);
    ASSERT_THAT(open, SizeIs(1));
    EXPECT_EQ(open[0].run, run);
    EXPECT_THAT(open[0].data, HasSubstr(R"("kind":"approval")"));
    world.answer_first(true);
    world.work();
    EXPECT_THAT(world.records(RecordKind::approval), IsEmpty());
    EXPECT_EQ(world.status(run), "completed");
  });
}

TEST(Approvals, GoWithTheirRun) {
  with_every_fault(world_of(asking()), [](World& world) {
    const RunId run = world.start();
    world.work();
    EXPECT_TRUE(world.submit(run, Cancel{"no"}));
    EXPECT_THAT(world.records(RecordKind::approval), IsEmpty());
  });
}

TEST(Approvals, GoWithTheirStepsTimeout) {
  with_every_fault(world_of(asking({.timeout = Duration(3000)})), [](World& world) {
    const RunId run = world.start();
    world.pass(Duration(5000));
    world.work();
    EXPECT_EQ(world.status(run), "failed");
    EXPECT_THAT(world.records(RecordKind::approval), IsEmpty());
    EXPECT_THAT(world.records(RecordKind::dead_letter), IsEmpty());
  });
}

TEST(Approvals, ARejectionIsARecordLess) {
  with_every_fault(world_of(asking()), [](World& world) {
    const RunId run = world.start();
    world.answer_first(false);
    world.work();
    EXPECT_EQ(world.status(run), "failed");
    EXPECT_THAT(world.records(RecordKind::approval), IsEmpty());
    EXPECT_TRUE(world.submit(run, Retry{}));
    EXPECT_THAT(world.records(RecordKind::approval), SizeIs(1)) << "asked again";
  });
}

TEST(Approvals, OneThatIsAskedForAndCalledOffInOneCommitIsNotListed) {
  World world(ProjectBuilder().agent_step("a", {}).approve_step("ok", {.needs = {"a"}}).build());
  const RunId run = world.start();
  const Task a = world.take("a");
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.report({a.token, TaskSuccess{Payload("1")}, "w1", world.clock.now()},
                                    [](Result<Verdict>) {});
  world.process->coordinator.submit(run, Cancel{"no"}, [](Result<void>) {});
  world.process->store.release();
  world.work();
  EXPECT_EQ(world.status(run), "cancelled");
  EXPECT_THAT(world.records(RecordKind::approval), IsEmpty());
}

TEST(Approvals, OfAPersonsTaskGoWithACancelAlsoWhereARetryFollowsAtOnce) {
  // A person is the second link of the chain: a retry begins with the first.
  World world(ProjectBuilder().human("ann").agent_step("a", {.fallback = {"ann"}}).build());
  world.worker = broken;
  const RunId run = world.start();
  world.work();
  ASSERT_THAT(world.records(RecordKind::approval), SizeIs(1));
  world.worker = nobody;
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.submit(run, Cancel{"no"}, [](Result<void>) {});
  world.process->coordinator.submit(run, Retry{}, [](Result<void>) {});
  world.process->store.release();
  world.work();
  EXPECT_TRUE(world.has_task("a"));
  world.verify();
}

// --- dead letters
// -----------------------------------------------------------------------------------------------------------

TEST(DeadLetters, AreThereUntilTheTaskIsTriedAgain) {
  with_every_fault(world_of(ProjectBuilder().agent_step("a", {.retry = kTwice}).build()), [](World& world) {
    world.worker = broken;
    const RunId run = world.start();
    world.work();
    const auto letters = world.records(RecordKind::dead_letter);
    ASSERT_THAT(letters, SizeIs(1));
    EXPECT_THAT(letters[0].data, HasSubstr(R"("code":"boom")"));
    world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
    EXPECT_TRUE(world.submit(run, Retry{}));
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.records(RecordKind::dead_letter), IsEmpty());
  });
}

TEST(DeadLetters, OneThatIsTriedAgainInTheSameCommitIsNotLeft) {
  World world(ProjectBuilder().agent_step("a", {}).build());
  const RunId run = world.start();
  const Task a = world.take("a");
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.report({a.token, TaskFailure{"boom", "", false}, "w1", world.clock.now()},
                                    [](Result<Verdict>) {});
  world.process->coordinator.submit(run, Retry{}, [](Result<void>) {});
  world.process->store.release();
  world.work();
  EXPECT_EQ(world.status(run), "completed");
  EXPECT_THAT(world.records(RecordKind::dead_letter), IsEmpty());
}

TEST(DeadLetters, AResumptionTakesThemAway) {
  with_every_fault(world_of(ProjectBuilder().agent_step("a", {.on_failure = OnFailure::pause_run}).build()),
                   [](World& world) {
                     world.worker = broken;
                     const RunId run = world.start();
                     world.work();
                     EXPECT_EQ(world.status(run), "paused");
                     EXPECT_THAT(world.records(RecordKind::dead_letter), SizeIs(1));
                     world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
                     EXPECT_TRUE(world.submit(run, Resume{}));
                     world.work();
                     EXPECT_EQ(world.status(run), "completed");
                     EXPECT_THAT(world.records(RecordKind::dead_letter), IsEmpty());
                   });
}

// --- cached answers
// -----------------------------------------------------------------------------------------------------------

TEST(CachedAnswers, AreTakenWhileTheyAreFresh) {
  with_every_fault(world_of(ProjectBuilder().agent_step("a", {.cache = Duration(60'000)}).build()),
                   [](World& world) {
                     int calls = 0;
                     world.worker = [&](const Task& task) {
                       // The same attempt may be handed out again by another process.
                       calls = std::max(calls, task.token.run == RunId() ? 0 : 1);
                       return TaskSuccess{Payload("1")};
                     };
                     world.start();
                     world.work();
                     world.worker = [](const Task&) { return TaskSuccess{Payload("2")}; };
                     const RunId second = world.start();
                     world.work();
                     EXPECT_THAT(world.json(second), HasSubstr(R"("output":{"a":1})"));
                     world.pass(Duration(60'000));
                     const RunId third = world.start();
                     world.work();
                     EXPECT_THAT(world.json(third), HasSubstr(R"("output":{"a":2})"));
                   });
}

TEST(CachedAnswers, HoweverOldAreTheLastResort) {
  with_every_fault(world_of(ProjectBuilder().agent_step("a", {.fallback = {"cache"}}).build()),
                   [](World& world) {
                     world.start();
                     world.work();
                     world.pass(Duration(3'600'000));
                     world.worker = broken;
                     const RunId second = world.start();
                     world.work();
                     EXPECT_THAT(world.json(second), HasSubstr(R"("output":{"a":1})"));
                     const RunId third = world.start({.input = "5"});
                     world.work();
                     EXPECT_EQ(world.status(third), "failed");
                     EXPECT_THAT(world.json(third), HasSubstr(R"("code":"boom")"));
                   });
}

// --- forks
// -------------------------------------------------------------------------------------------------------------------

std::vector<JournalEntry> beginning(const std::vector<JournalEntry>& journal, std::size_t entries) {
  return {journal.begin(), journal.begin() + static_cast<std::ptrdiff_t>(entries)};
}

TEST(Forks, ShareTheJournalAndLeaveTheOriginalAlone) {
  auto project = ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build();
  with_every_fault(world_of(project), [](World& world) {
    const RunId run = world.start({.input = "1"});
    world.work();
    const auto before = world.journal(run);
    const auto fork = world.fork(run, "b", Payload("2"));
    ASSERT_TRUE(fork.has_value());
    world.work();
    EXPECT_EQ(world.journal(run), before);
    EXPECT_EQ(world.status(*fork), "completed");
    EXPECT_EQ(beginning(world.journal(*fork), 3), beginning(before, 3));
    EXPECT_EQ(world.types(*fork).at(3), "run_forked");
    EXPECT_THAT(world.json(*fork), HasSubstr(R"("input":2)"));
  });
}

TEST(Forks, WithAnotherInputDontCarryAPersonsDecisionAlong) {
  auto project = ProjectBuilder()
                     .approve_step("x", {.input = "${{ input }}"})
                     .transform_step("z", {.needs = {"x"}}, "${{ input }}")
                     .build();
  World world(project);
  const RunId run = world.start({.input = R"("harmless")"});
  world.work();
  world.answer_first(true);
  world.work();
  ASSERT_EQ(world.status(run), "completed");
  EXPECT_EQ(world.fork(run, "z", Payload(R"("another")")).error().code, "conflict");
  EXPECT_TRUE(world.fork(run, "z").has_value());
  EXPECT_TRUE(world.fork(run, "x", Payload(R"("another")")).has_value());
  world.verify();
}

TEST(Forks, OfAForkHasTheInputOfTheFork) {
  auto project = ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build();
  World world(project);
  const RunId run = world.start({.input = "1"});
  world.work();
  const RunId fork = world.fork(run, "b", Payload("2")).value();
  world.work();
  const RunId second = world.fork(fork, "b").value();
  world.work();
  EXPECT_EQ(world.status(second), "completed");
  EXPECT_THAT(world.json(second), HasSubstr(R"("input":2)"));
  world.restart();
  EXPECT_THAT(world.json(second), HasSubstr(R"("input":2)"));
  world.verify();
}

TEST(Forks, WhereTheStepIsUnknownOrHasNotBegunAreRefused) {
  World world(asking());
  const RunId run = world.start();
  EXPECT_EQ(world.fork(run, "nothing").error().code, "unknown_step");
  EXPECT_EQ(world.fork(run, "z").error().code, "conflict");
  EXPECT_EQ(world.fork(RunId::make(world.clock.now(), 9, 9), "z").error().code, "not_found");
  world.verify();
}

// a beside an approval, a wait and a sub-run; all three are open when a has ended.
std::shared_ptr<const Project> open_everywhere() {
  auto inner = ProjectBuilder().agent_step("i", {}).build();
  auto outer = ProjectBuilder()
                   .approve_step("ok", {})
                   .wait_step("wait", {}, "t.go")
                   .sub_run_step("sub", {}, "inner")
                   .agent_step("a", {})
                   .agent_step("b", {.needs = {"a"}})
                   .build();
  return assembled(outer, {{"inner", inner}});
}

TEST(Forks, AskWaitAndStartSubRunsOnTheirOwn) {
  with_every_fault(world_of(open_everywhere()), [](World& world) {
    world.worker = [](const Task& task) -> std::optional<testing::Outcome> {
      if (task.step == "i") return std::nullopt;
      return TaskSuccess{Payload("1")};
    };
    const RunId run = world.start();
    world.work();
    const auto fork = world.fork(run, "b");
    ASSERT_TRUE(fork.has_value());
    world.work();
    world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
    world.publish("t.go", "5");
    world.work();
    // A fork whose answer was lost is one more run.
    while (!world.records(RecordKind::approval).empty()) {
      world.answer_first(true);
      world.work();
    }
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_EQ(world.status(*fork), "completed");
    EXPECT_THAT(world.children(run), SizeIs(1));
    EXPECT_THAT(world.children(*fork), SizeIs(1));
    EXPECT_NE(world.children(*fork), world.children(run));
  });
}

TEST(Forks, OfASessionNeedItsState) {
  auto project = ProjectBuilder()
                     .set_step("s", {.input = "5"}, "x")
                     .agent_step("a", {.needs = {"s"}})
                     .transform_step("t", {.needs = {"a"}}, "${{ state.x }}")
                     .build();
  with_every_fault(world_of(project), [](World& world) {
    const RunId run = world.start({.session = "s1"});
    world.work();
    world.restart();  // and the session's state is not in memory
    const auto fork = world.fork(run, "t");
    ASSERT_TRUE(fork.has_value());
    world.work();
    EXPECT_EQ(world.status(*fork), "completed");
    EXPECT_THAT(world.json(*fork), HasSubstr(R"("output":{"t":"5"})"));
  });
}

// --- deadlines
// ---------------------------------------------------------------------------------------------------------

TEST(Deadlines, ThatComeDuringACommitAreDecidedOnceItIsDurable) {
  World world(ProjectBuilder().agent_step("a", {.timeout = Duration(1000)}).build());
  const RunId run = world.start();
  world.process->store.holding = true;
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.clock.advance(Duration(2000));
  EXPECT_LE(world.process->store.held.size(), 3u) << "a run's commit and the sweep of sessions";
  world.process->store.release();
  world.work();
  EXPECT_EQ(world.status(run), "failed");
  world.verify();
}

TEST(Deadlines, OfARunWhoseSessionCantBeReadAreTriedAgainInAWhile) {
  World world(ProjectBuilder().agent_step("a", {.timeout = Duration(1000)}).reads_state().build(), {},
              {.kept = 1});
  world.worker = nobody;
  const RunId run = world.start({.session = "s1"});
  world.start({.session = "s2"});  // s1 is forgotten
  world.process->store.unavailable = true;
  const int before = world.process->store.calls;
  world.clock.advance(Duration(3000));
  EXPECT_LE(world.process->store.calls - before, 100);
  world.process->store.unavailable = false;
  world.work();
  EXPECT_EQ(world.status(run), "failed");
  world.verify();
}

TEST(Deadlines, OfASubRunWhoseParentCantBeReadDontTurnInCircles) {
  auto inner = ProjectBuilder().agent_step("i", {}).build();
  auto outer = ProjectBuilder().sub_run_step("s", {}, "inner").build();
  World world(assembled(outer, {{"inner", inner}}));
  world.worker = nobody;
  const RunId run = world.start();
  world.work();
  const RunId child = world.children(run).at(0);
  // Its commit fails, so that it is read again; then its parent can't be.
  world.faults = {Fault::outage, 1};
  const int before = world.process->store.calls;
  world.process->coordinator.submit(child, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.process->coordinator.submit(run, Signal{"1", "x", Payload()}, [](Result<void>) {});
  world.clock.advance(Duration(1000));
  EXPECT_LE(world.process->store.calls - before, 100);
  world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  world.work();
  EXPECT_EQ(world.status(run), "completed");
  world.verify();
}

TEST(OpenRuns, OneThatAnotherProcessHasEndedIsNotCounted) {
  World world(ProjectBuilder().agent_step("a", {}).build());
  const RunId run = world.start();
  const Task task = world.take("a");
  testing::Process other(world.clock, world.store, world.project);
  EXPECT_EQ(other.recovered, 1u);
  world.report(task.token, TaskSuccess{Payload("1")});
  other.coordinator.submit(run, Cancel{"no"}, [](Result<void>) {});
  world.clock.run();
  EXPECT_EQ(other.coordinator.open_runs(), 0u);
}

}  // namespace
}  // namespace ganglion

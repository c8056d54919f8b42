#include "coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using ganglion::testing::Process;
using ganglion::testing::ProjectBuilder;
using ganglion::testing::VirtualClock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CoordinatorTest : public ::testing::Test {
 protected:
  Result<StartedRun> start(Process& process, const std::string& key = "", const std::string& digest = "x") {
    StartRequest request{.workflow = "w",
                         .input = Payload("{}"),
                         .session_id = {},
                         .priority = 0,
                         .labels = {},
                         .traceparent = {},
                         .claim = {}};
    if (!key.empty()) request.claim = IdempotencyClaim{key, digest};
    auto started = std::make_shared<Result<StartedRun>>(fail("pending", ""));
    process.coordinator.start_run(std::move(request),
                                  [started](Result<StartedRun> result) { *started = std::move(result); });
    clock.run();
    return *started;
  }
  Result<Verdict> succeed(Process& process, const AttemptToken& token) {
    auto verdict = std::make_shared<Result<Verdict>>(fail("pending", ""));
    process.coordinator.report({token, TaskSuccess{Payload("1")}, "w1", clock.now()},
                               [verdict](Result<Verdict> result) { *verdict = std::move(result); });
    clock.run();
    return *verdict;
  }
  std::string status(Process& process, const RunId& run) {
    std::string status = "pending";
    process.coordinator.inspect(run, [&](Result<const ganglion::Run*> found) {
      status = found ? std::string((*found)->status()) : found.error().code;
    });
    clock.run();
    return status;
  }
  std::vector<std::string> journal(const RunId& run) {
    std::vector<std::string> types;
    store.read_journal(run, 0, 1000, [&](Result<std::vector<JournalEntry>> entries) {
      for (const auto& entry : *entries) types.push_back(entry.type);
    });
    clock.run();
    return types;
  }

  VirtualClock clock;
  memory::Store store{clock};
  std::shared_ptr<const Project> two_steps =
      ProjectBuilder()
          .agent_step(
              "a", {.retry =
                        RetryPolicy{
                            .max_attempts = 2, .initial = Duration(100), .max = Duration(100), .jitter = 0}})
          .agent_step("b", {.needs = {"a"}})
          .build();
};

TEST_F(CoordinatorTest, ARunGoesFromStepToStepToItsEnd) {
  Process process(clock, store, two_steps);
  const RunId run = start(process)->id;
  EXPECT_EQ(succeed(process, process.queue.take().token), Verdict::accepted);
  EXPECT_EQ(succeed(process, process.queue.take().token), Verdict::accepted);
  EXPECT_EQ(status(process, run), "completed");
  EXPECT_EQ(process.coordinator.open_runs(), 0u);
  EXPECT_THAT(journal(run), ElementsAre("run_created", "task_scheduled", "task_succeeded", "task_scheduled",
                                        "task_succeeded", "run_completed"));
  EXPECT_EQ(process.store.commits, 3) << "a run of n steps takes n+1 commits";
}

TEST_F(CoordinatorTest, NothingLeavesBeforeItIsDurable) {
  Process process(clock, store, two_steps);
  process.store.holding = true;
  EXPECT_EQ(start(process).error().code, "pending");
  EXPECT_THAT(process.queue.tasks, IsEmpty());

  process.store.release();
  clock.run();
  EXPECT_EQ(process.queue.tasks.size(), 1u);
}

TEST_F(CoordinatorTest, ALookShowsOnlyWhatIsDurable) {
  Process process(clock, store, two_steps);
  const RunId run = start(process)->id;
  process.store.holding = true;
  succeed(process, process.queue.take().token);
  std::string version = "none";
  process.coordinator.inspect(
      run, [&](Result<const ganglion::Run*> found) { version = std::to_string((*found)->version()); });
  clock.run();
  EXPECT_EQ(version, "none");

  process.store.release();
  clock.run();
  EXPECT_EQ(version, "4");
}

TEST_F(CoordinatorTest, InputsThatCameDuringACommitAreDecidedTogether) {
  auto map = ProjectBuilder().agent_step("m", {.for_each = "${{ [1, 2, 3, 4, 5] }}"}).build();
  Process process(clock, store, map);
  start(process);
  const int before = process.store.commits;
  for (Task& task : std::exchange(process.queue.tasks, {})) {
    process.coordinator.report({task.token, TaskSuccess{Payload("1")}, "w1", clock.now()},
                               [](Result<Verdict> verdict) { EXPECT_EQ(verdict, Verdict::accepted); });
  }
  clock.run();
  EXPECT_EQ(process.store.commits - before, 2);
  EXPECT_EQ(process.coordinator.open_runs(), 0u);
}

TEST_F(CoordinatorTest, ARestartDispatchesAgainWhatHasNoResult) {
  auto process = std::make_unique<Process>(clock, store, two_steps);
  const RunId first = start(*process)->id;
  start(*process);
  succeed(*process, process->queue.take().token);
  const AttemptToken b = process->queue.tasks[1].token;

  process = std::make_unique<Process>(clock, store, two_steps);
  EXPECT_EQ(process->recovered, 2u);
  ASSERT_EQ(process->queue.tasks.size(), 2u);
  EXPECT_EQ(succeed(*process, b), Verdict::accepted) << "the token of before the restart still counts";
  EXPECT_EQ(status(*process, first), "completed");
}

TEST_F(CoordinatorTest, ARestartKeepsWaitingForWhatWasWaitedFor) {
  auto process = std::make_unique<Process>(clock, store, two_steps);
  start(*process);
  const AttemptToken token = process->queue.take().token;
  process->coordinator.report({token, TaskFailure{"boom", "", true}, "w1", clock.now()},
                              [](Result<Verdict>) {});
  clock.run();

  process = std::make_unique<Process>(clock, store, two_steps);
  clock.advance(Duration(99));
  EXPECT_THAT(process->queue.tasks, IsEmpty());
  clock.advance(Duration(1));
  EXPECT_EQ(process->queue.take().token.attempt, Attempt(2));
}

TEST_F(CoordinatorTest, OfTwoCoordinatorsOnOneRunOnlyOneDecides) {
  Process here(clock, store, two_steps);
  Process there(clock, store, two_steps);
  const RunId run = start(here)->id;
  const AttemptToken token = here.queue.take().token;
  EXPECT_EQ(status(there, run), "running");  // it has read the run
  EXPECT_EQ(succeed(here, token), Verdict::accepted);

  EXPECT_EQ(succeed(there, token), Verdict::stale_attempt) << "decided on an old version, so decided again";
  EXPECT_THAT(journal(run), ElementsAre("run_created", "task_scheduled", "task_succeeded", "task_scheduled"));
  EXPECT_EQ(succeed(there, here.queue.take().token), Verdict::accepted);
  EXPECT_EQ(status(here, run), "running") << "a look alone does not notice";
}

TEST_F(CoordinatorTest, TheSameKeyAndBodyGiveTheSameRun) {
  Process process(clock, store, two_steps);
  const auto first = start(process, "k", "body");
  const auto second = start(process, "k", "body");
  EXPECT_FALSE(first->existed);
  EXPECT_TRUE(second->existed);
  EXPECT_EQ(first->id, second->id);
  EXPECT_EQ(start(process, "k", "other").error().code, "idempotency_mismatch");
  EXPECT_EQ(process.coordinator.open_runs(), 1u);
  EXPECT_EQ(process.queue.tasks.size(), 1u);
}

TEST_F(CoordinatorTest, AnUnavailableStoreLosesNothing) {
  Process process(clock, store, two_steps);
  const RunId run = start(process)->id;
  const AttemptToken token = process.queue.take().token;
  process.store.unavailable = true;
  EXPECT_EQ(start(process).error().code, "unavailable");
  EXPECT_EQ(succeed(process, token).error().code, "unavailable");
  clock.advance(Duration(5000));

  process.store.unavailable = false;
  clock.advance(Duration(1000));
  EXPECT_EQ(succeed(process, token), Verdict::accepted);
  EXPECT_EQ(process.coordinator.open_runs(), 1u);
  EXPECT_EQ(status(process, run), "running");
}

TEST_F(CoordinatorTest, BeyondTheBoundOfOpenRunsAStartIsRefused) {
  Process process(clock, store, two_steps, {.max_open_runs = 1});
  start(process);
  EXPECT_EQ(start(process).error().code, "overloaded");
}

TEST_F(CoordinatorTest, AFollowerSeesEveryEntryOnceAndInOrder) {
  Process process(clock, store, two_steps);
  const RunId run = start(process)->id;
  std::vector<std::uint64_t> seqs;
  bool ended = false;
  const FollowerId follower =
      process.coordinator.follow(run, [&](std::span<const JournalEntry> entries, const ganglion::Run& now) {
        for (const JournalEntry& entry : entries) seqs.push_back(entry.seq);
        ended = now.ended();
      });
  succeed(process, process.queue.take().token);
  succeed(process, process.queue.take().token);
  EXPECT_THAT(seqs, ElementsAre(3, 4, 5, 6));
  EXPECT_TRUE(ended);
  process.coordinator.unfollow(run, follower);
}

TEST_F(CoordinatorTest, ACancelTellsWhoeverWorks) {
  Process process(clock, store, two_steps);
  const RunId run = start(process)->id;
  const AttemptToken token = process.queue.take().token;
  process.coordinator.submit(run, Cancel{"no"}, [](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();
  EXPECT_THAT(process.queue.withdrawn, ElementsAre(token));
  EXPECT_EQ(status(process, run), "cancelled");
}

TEST_F(CoordinatorTest, WhatIsUnknownIsSaidToBe) {
  Process process(clock, store, two_steps);
  const RunId nobody = RunId::make(clock.now(), 9, 9);
  EXPECT_EQ(status(process, nobody), "not_found");
  EXPECT_EQ(succeed(process, {nobody, StepIndex(0), ItemIndex(0), Attempt(1)}), Verdict::unknown);
}

TEST_F(CoordinatorTest, AnEndedRunIsReadAgainWhenItIsRetried) {
  Process process(clock, store, ProjectBuilder().agent_step("a", {}).build(), {.ended_runs_kept = 0});
  const RunId run = start(process)->id;
  const AttemptToken token = process.queue.take().token;
  process.coordinator.report({token, TaskFailure{"boom", "", true}, "w1", clock.now()},
                             [](Result<Verdict>) {});
  clock.run();
  EXPECT_EQ(process.coordinator.open_runs(), 0u);

  process.coordinator.submit(run, Retry{}, [](Result<void> done) { EXPECT_TRUE(done); });
  clock.run();
  EXPECT_EQ(process.coordinator.open_runs(), 1u);
  EXPECT_EQ(succeed(process, process.queue.take().token), Verdict::accepted);
  EXPECT_EQ(status(process, run), "completed");
}

}  // namespace
}  // namespace ganglion

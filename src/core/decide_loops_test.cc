// `until`, and what a step's mention of itself means.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using ::testing::ElementsAre;
using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

StepSpec loop(std::uint32_t max_iterations = 3) {
  StepSpec spec;
  spec.until = "steps.a.output >= 3";
  spec.max_iterations = max_iterations;
  spec.input = "${{ steps.a.output }}";
  return spec;
}

TEST(DecideLoop, ItRepeatsUntilTheConditionHolds) {
  Story story(ProjectBuilder().agent_step("a", loop()).build());
  EXPECT_EQ(story.input("a"), "null");
  story.succeed("a", "1");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "task_scheduled a"));
  EXPECT_TRUE(story.said<TaskSucceeded>()->again);
  EXPECT_EQ(story.said<TaskScheduled>()->iteration, 2u);
  EXPECT_EQ(story.said<TaskScheduled>()->attempt, Attempt(2));
  EXPECT_EQ(story.input("a"), "1");
  story.succeed("a", "3");
  EXPECT_EQ(story.output(), R"({"a":3})");
}

TEST(DecideLoop, EachIterationHasAllItsAttempts) {
  StepSpec spec = loop();
  spec.retry = RetryPolicy{.max_attempts = 2, .initial = Duration(10), .max = Duration(10), .jitter = 0};
  Story story(ProjectBuilder().agent_step("a", spec).build());
  for (int iteration = 0; iteration < 2; ++iteration) {
    story.fail("a");
    EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
    story.pass(Duration(10));
    story.succeed("a", "1");
    EXPECT_EQ(story.status(), "running");
  }
  EXPECT_EQ(story.input("a"), "1");
}

TEST(DecideLoop, TooManyIterationsFailTheStep) {
  Story story(ProjectBuilder().agent_step("a", loop(2)).build());
  story.succeed("a", "1");
  story.report("a", 0, TaskSuccess{Payload("2"), Payload(R"({"usd": 1})")});
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
  EXPECT_EQ(story.error(), "max_iterations");
  EXPECT_EQ(story.run.usage().at("usd"), 1);
  // What the last iteration made of it may be tried once more.
  story.give(Retry{});
  story.succeed("a", "3");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideLoop, AStepThatContinuesIsCompletedWithItsLastOutput) {
  StepSpec spec = loop(2);
  spec.on_failure = OnFailure::continue_run;
  Story story(ProjectBuilder()
                  .agent_step("a", spec)
                  .output("${{ [steps.a.output, steps.a.error.code, steps.a.status] }}")
                  .build());
  story.succeed("a", "1");
  story.succeed("a", "2");
  EXPECT_EQ(story.output(), R"([2,"max_iterations","completed"])");
}

TEST(DecideLoop, ItemsOfAMapRepeatEachForItself) {
  StepSpec spec = loop(2);
  spec.for_each = "${{ [10, 20] }}";
  spec.input = "${{ [item, steps.a.output] }}";
  spec.on_failure = OnFailure::continue_run;
  Story story(
      ProjectBuilder().agent_step("a", spec).output("${{ [steps.a.output, steps.a.error.code] }}").build());
  story.succeed("a", "1", 0);
  story.succeed("a", "2", 1);
  EXPECT_EQ(story.input("a", 0), "[10,1]");
  EXPECT_EQ(story.input("a", 1), "[20,2]");
  story.succeed("a", "3", 0);
  story.succeed("a", "0", 1);
  EXPECT_EQ(story.output(), R"([[3,null],"items_failed"])");
}

TEST(DecideLoop, AConditionThatIsNoneFailsTheStepAndTheUsageCounts) {
  for (const char* until : {"steps.a.output", "steps.a.output.none"}) {
    StepSpec spec = loop();
    spec.until = until;
    Story story(ProjectBuilder().agent_step("a", spec).build());
    story.report("a", 0, TaskSuccess{Payload("{}"), Payload(R"({"usd": 1})")});
    EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
    EXPECT_EQ(story.run.usage().at("usd"), 1);
    EXPECT_EQ(story.last.verdict, Verdict::accepted);
  }
}

TEST(DecideLoop, APausedRunTakesTheNextIterationWhenItIsResumed) {
  Story story(ProjectBuilder().agent_step("a", loop()).build());
  story.give(Pause{});
  story.succeed("a", "1");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a"));
  story.give(Resume{});
  EXPECT_EQ(story.said<TaskScheduled>()->iteration, 2u);
  EXPECT_EQ(story.input("a"), "1");
}

TEST(DecideLoop, EachIterationBeginsTheChainAnew) {
  StepSpec spec = loop();
  spec.fallback = {"second"};
  Story story(ProjectBuilder().add_agents({"second"}).agent_step("a", spec).build());
  story.fail("a");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "second");
  story.succeed("a", "1");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "worker");
}

TEST(DecideLoop, TheStepsTimeoutCoversAllIterations) {
  StepSpec spec = loop(100);
  spec.timeout = Duration(100);
  Story story(ProjectBuilder().agent_step("a", spec).build());
  story.pass(Duration(60));
  story.succeed("a", "1");
  story.pass(Duration(40));
  EXPECT_EQ(story.error(), "timeout");
}

TEST(DecideLoop, ASleepOfNoTimeIsBoundedByItsIterations) {
  Story story(ProjectBuilder().sleep_step("s", {.until = "false", .max_iterations = 1000}, "0ms").build());
  story.give(Wake{});
  EXPECT_EQ(story.error(), "max_iterations");
}

// --- on_failure: pause
// -------------------------------------------------------------------------------------------------------

TEST(DecidePause, AFailureWaitsForAPersonAndResumingTriesItAgain) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.on_failure = OnFailure::pause_run})
                  .agent_step("b", {.needs = {"a"}})
                  .build());
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_paused a"));
  EXPECT_EQ(story.status(), "paused");
  const AttemptToken failed = story.token("a");
  story.give(Resume{.by_parent = true});
  EXPECT_EQ(story.status(), "paused");
  story.give(Resume{});
  EXPECT_THAT(story.events(), ElementsAre("run_resumed", "task_scheduled a"));
  EXPECT_THAT(story.last.revived, ElementsAre(failed));
  story.succeed("a", "1");
  story.succeed("b", "2");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecidePause, OnlyWhatIsTriedAgainLeavesTheDeadLetters) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.on_failure = OnFailure::continue_run})
                  .agent_step("b", {.on_failure = OnFailure::pause_run})
                  .build());
  story.fail("a");
  story.fail("b");
  const AttemptToken failed = story.token("b");
  story.give(Resume{});
  EXPECT_THAT(story.last.revived, ElementsAre(failed));
  EXPECT_EQ(story.status("a"), "failed");
}

TEST(DecidePause, AMapKeepsTheItemsThatAreDone) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.for_each = "${{ [1, 2] }}", .on_failure = OnFailure::pause_run})
                  .build());
  story.succeed("a", "10", 0);
  story.fail("a", 1);
  story.give(Resume{});
  EXPECT_THAT(story.events(), ElementsAre("run_resumed", "task_scheduled a[1]"));
  story.succeed("a", "20", 1);
  EXPECT_EQ(story.output(), R"({"a":[10,20]})");
}

TEST(DecidePause, ACancelledOneCanBeRetried) {
  Story story(ProjectBuilder().agent_step("a", {.on_failure = OnFailure::pause_run}).build());
  story.fail("a");
  story.give(Cancel{""});
  story.give(Retry{});
  EXPECT_THAT(story.events(), ElementsAre("run_retried", "task_scheduled a"));
}

TEST(DecidePause, AFailureOfAnotherStepEndsThePausedRun) {
  Story story(
      ProjectBuilder().agent_step("a", {.on_failure = OnFailure::pause_run}).agent_step("b", {}).build());
  story.fail("a");
  story.fail("b");
  EXPECT_EQ(story.status(), "failed");
  story.give(Retry{});
  EXPECT_THAT(story.events(), ElementsAre("run_retried", "task_scheduled a", "task_scheduled b"));
}

}  // namespace
}  // namespace ganglion

// What a run may use: reserved before anything is handed out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using testing::agent_named;
using ::testing::ElementsAre;
using testing::ProjectBuilder;
using testing::StartSpec;
using testing::StepSpec;
using testing::Story;

AgentDefinition needing(double tokens, const std::string& name = "worker") {
  AgentDefinition agent = agent_named(name, WorkerAgent{});
  agent.budget = Budget{.tokens = tokens, .usd = {}};
  return agent;
}

TEST(DecideBudget, WhatAnAttemptMayUseIsReservedUntilItEnds) {
  Story story(
      ProjectBuilder().add_agent(needing(60)).agent_step("a", {}).budget({.tokens = 100, .usd = {}}).build());
  EXPECT_EQ(story.said<TaskScheduled>()->reserved->tokens, 60);
  EXPECT_EQ(story.run.reserved().tokens, 60);
  story.succeed_using("a", R"({"tokens": 10})");
  EXPECT_EQ(story.run.reserved().tokens.value_or(0), 0);
}

TEST(DecideBudget, WithoutABudgetNothingIsReserved) {
  Story story(ProjectBuilder().add_agent(needing(60)).agent_step("a", {}).build());
  EXPECT_FALSE(story.said<TaskScheduled>()->reserved);
}

TEST(DecideBudget, WhatHasNoRoomNowBeginsWhenSomethingHasEnded) {
  Story story(ProjectBuilder()
                  .add_agent(needing(60))
                  .agent_step("a", {})
                  .agent_step("b", {})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_scheduled a"));
  EXPECT_EQ(story.status("b"), "ready");
  story.succeed_using("a", R"({"input_tokens": 10, "output_tokens": 15})");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "task_scheduled b"));
}

TEST(DecideBudget, AMapFillsItsRoomAsItsItemsEnd) {
  Story story(ProjectBuilder()
                  .add_agent(needing(40))
                  .agent_step("a", {.for_each = "${{ [1, 2, 3] }}"})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_THAT(story.events(),
              ElementsAre("run_created", "step_started a", "task_scheduled a[0]", "task_scheduled a[1]"));
  story.succeed_using("a", R"({"tokens": 20})", 1);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a[1]", "task_scheduled a[2]"));
  story.succeed("a", "1", 0);
  story.succeed("a", "1", 2);
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideBudget, WhereThereWillNeverBeRoomTheRunFails) {
  Story story(ProjectBuilder()
                  .add_agent(needing(60))
                  .agent_step("a", {})
                  .agent_step("b", {.needs = {"a"}, .on_failure = OnFailure::continue_run})
                  .agent_step("c", {})
                  .budget({.tokens = 130, .usd = {}})
                  .build());
  story.succeed_using("a", R"({"tokens": 80})");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "run_failed b"));
  EXPECT_EQ(story.error(), "budget_exceeded");
  EXPECT_EQ(story.last.withdrawn.size(), 1u);
}

TEST(DecideBudget, ARetryThatHasNoRoomIsMadeWhenSomethingHasEnded) {
  const RetryPolicy twice{.max_attempts = 2, .initial = Duration(10), .max = Duration(10), .jitter = 0};
  Story story(ProjectBuilder()
                  .add_agent(needing(60))
                  .agent_step("a", {.retry = twice})
                  .agent_step("b", {})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "task_scheduled b"));
  story.pass(Duration(10));
  EXPECT_TRUE(story.last.events.empty());
  EXPECT_EQ(story.run.next_wakeup(), std::nullopt);
  story.succeed("b", "1");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded b", "task_scheduled a"));
}

TEST(DecideBudget, AnAgentThatSaysNothingNeedsTheMostThatItHasUsed) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.for_each = "${{ [1, 2, 3] }}", .max_parallel = 1})
                  .budget({.tokens = {}, .usd = 1})
                  .build());
  EXPECT_EQ(story.said<TaskScheduled>()->reserved->usd.value_or(0), 0);
  story.succeed_using("a", R"({"usd": 0.3})", 0);
  EXPECT_EQ(story.said<TaskScheduled>()->reserved->usd, 0.3);
  story.succeed_using("a", R"({"usd": 0.5})", 1);
  EXPECT_EQ(story.error(), "budget_exceeded");
}

TEST(DecideBudget, OneAttemptAtATimeTellsWhatAnUnknownAgentUses) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.for_each = "${{ [1, 2, 3, 4] }}"})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_started a", "task_scheduled a[0]"));
  story.succeed_using("a", R"({"tokens": 30})", 0);
  EXPECT_THAT(story.events(),
              ElementsAre("task_succeeded a[0]", "task_scheduled a[1]", "task_scheduled a[2]"));
}

TEST(DecideBudget, WhatFailuresUseCountsToo) {
  Story story(ProjectBuilder()
                  .add_agents({"second"})
                  .agent_step("a", {.fallback = {"second"}})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  story.report("a", 0, TaskFailure{"boom", "it broke", false, Payload(R"({"tokens": 100})")});
  EXPECT_EQ(story.error(), "budget_exceeded");
  EXPECT_EQ(story.run.usage().at("tokens"), 100);
}

TEST(DecideBudget, AmountsThatMakeNoSenseDoNotCount) {
  Story story(
      ProjectBuilder().agent_step("a", {}).agent_step("b", {}).budget({.tokens = 10, .usd = {}}).build());
  story.succeed_using("a", R"({"tokens": -5, "usd": 1e400, "n": 1e300})");
  EXPECT_TRUE(story.run.usage().empty());
}

TEST(DecideBudget, FractionsLeaveNothingBehind) {
  // 0.1 + 0.2 + 0.3 - 0.3 - 0.1 - 0.2 is not 0.
  ProjectBuilder builder;
  for (const auto& [name, usd] : {std::pair("x", 0.1), std::pair("y", 0.2), std::pair("z", 0.3)}) {
    AgentDefinition agent = agent_named(name, WorkerAgent{});
    agent.budget = Budget{.tokens = {}, .usd = usd};
    builder.add_agent(agent).agent_step(name, {}, name);
  }
  AgentDefinition all = agent_named("all", WorkerAgent{});
  all.budget = Budget{.tokens = {}, .usd = 0.7};
  builder.add_agent(all).agent_step("last", {.needs = {"x", "y", "z"}}, "all");
  Story story(builder.budget({.tokens = {}, .usd = 0.7}).build());
  for (const char* step : {"z", "x", "y"}) story.succeed(step, "1");
  EXPECT_EQ(story.status("last"), "running");
}

// --- trees of runs
// -------------------------------------------------------------------------------------------------------

TEST(DecideBudget, ASubRunGetsWhatIsLeftAndItsUsageCounts) {
  Story story(ProjectBuilder()
                  .workflow("child")
                  .sub_run_step("c", {}, "child")
                  .agent_step("a", {.needs = {"c"}})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_EQ(story.said<TaskScheduled>()->reserved->tokens, 100);
  story.succeed_using("c", R"({"tokens": 100})");
  EXPECT_EQ(story.error(), "budget_exceeded");
}

TEST(DecideBudget, ItemsShareWhatIsLeftInEqualParts) {
  Story story(ProjectBuilder()
                  .workflow("child")
                  .sub_run_step("c", {.for_each = "${{ [1, 2, 3, 4] }}"}, "child")
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_EQ(story.said<TaskScheduled>()->item, ItemIndex(3));
  EXPECT_EQ(story.said<TaskScheduled>()->reserved->tokens, 25);
  EXPECT_EQ(story.run.reserved().tokens, 100);
}

TEST(DecideBudget, TheOtherWorkflowsOwnBudgetBoundsOnlyWhatItNames) {
  Story story(ProjectBuilder()
                  .workflow("child", "", Budget{.tokens = 30, .usd = {}})
                  .sub_run_step("c", {}, "child")
                  .budget({.tokens = 100, .usd = 2})
                  .build());
  EXPECT_EQ(story.said<TaskScheduled>()->reserved, (Budget{.tokens = 30, .usd = 2}));
}

TEST(DecideBudget, ARunHasTheSmallerOfItsOwnBudgetAndItsShare) {
  const auto project = ProjectBuilder().agent_step("a", {}).budget({.tokens = 100, .usd = {}}).build();
  EXPECT_EQ(Story(project, "{}", {.budget = Budget{.tokens = 40, .usd = 1}}).run.budget(),
            (Budget{.tokens = 40, .usd = 1}));
  EXPECT_EQ(Story(project, "{}", {.budget = Budget{.tokens = 400, .usd = {}}}).run.budget(),
            (Budget{.tokens = 100, .usd = {}}));
}

TEST(DecideBudget, ASubRunThatUsedUpItsOwnIsAnOrdinaryFailure) {
  Story story(ProjectBuilder()
                  .workflow("child", "", Budget{.tokens = 10, .usd = {}})
                  .sub_run_step("c", {.on_failure = OnFailure::continue_run}, "child")
                  .agent_step("a", {.needs = {"c"}})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  story.fail_with("c", "budget_exceeded");
  EXPECT_THAT(story.events(), ElementsAre("task_failed c", "step_failed c", "task_scheduled a"));
}

TEST(DecideBudget, AStepThatFailsWhileItWaitsForRoomLetsOthersBegin) {
  // The second item has no input; it is looked at only when the first has found room.
  Story story(ProjectBuilder()
                  .add_agent(needing(60))
                  .agent_step("big", {})
                  .agent_step("a", {.for_each = "${{ [{'x': 1}, {}] }}",
                                    .on_failure = OnFailure::continue_run,
                                    .input = "${{ item.x }}"})
                  .agent_step("b", {.needs = {"a"}})
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_EQ(story.status("a"), "running");
  story.succeed("big", "1");
  EXPECT_EQ(story.status("a"), "failed");
  story.succeed("b", "1");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideBudget, AClassifiersAttemptIsReservedToo) {
  Story story(ProjectBuilder()
                  .add_agent(needing(60, "model"))
                  .add_agents({"x"})
                  .router("r", {{"zzz", "x"}}, "model")
                  .agent_step("a", {}, "r")
                  .agent_step("b", {}, "r")
                  .budget({.tokens = 100, .usd = {}})
                  .build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_scheduled a"));
  story.succeed("a", "\"x\"");
  EXPECT_THAT(story.events(), ElementsAre("task_routed a", "task_scheduled a", "task_scheduled b"));
}

}  // namespace
}  // namespace ganglion

// Who is asked: sub-runs, chosen agents, routers, fallback chains, the cache.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/run_json.h"
#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using testing::agent_named;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

constexpr RetryPolicy kTwice{.max_attempts = 2,
                             .backoff = Backoff::constant,
                             .initial = Duration(10),
                             .max = Duration(10),
                             .jitter = 0};

// --- sub-runs
// -------------------------------------------------------------------------------------------------------

TEST(DecideSubRun, ItIsATaskThatAnotherRunPerforms) {
  Story story(
      ProjectBuilder().workflow("child").sub_run_step("c", {.input = "${{ input.x }}"}, "child").build(),
      R"({"x": 5})");
  const auto* task = story.said<TaskScheduled>();
  ASSERT_NE(task, nullptr);
  EXPECT_EQ(task->role, TaskRole::sub_run);
  EXPECT_EQ(task->agent, "child");
  EXPECT_EQ(task->input->bytes(), "5");
  const std::string id = story.run.sub_run_of(StepIndex(0), ItemIndex(0)).text();
  EXPECT_THAT(run_json(story.run), HasSubstr("\"run_id\":\"" + id + "\""));

  story.succeed("c", "6");
  EXPECT_EQ(story.output(), R"({"c":6})");
  EXPECT_THAT(run_json(story.run), HasSubstr("\"run_id\":\"" + id + "\""));
}

TEST(DecideSubRun, ItIsTriedOnceIfTheStepDoesNotSayMore) {
  Story once(ProjectBuilder().workflow("child").sub_run_step("c", {.retry = std::nullopt}, "child").build());
  once.fail("c");
  EXPECT_THAT(once.events(), ElementsAre("task_failed c", "step_failed c", "run_failed c"));
  EXPECT_EQ(once.last.dead_letters.front().agent, "child");

  Story twice(ProjectBuilder().workflow("child").sub_run_step("c", {.retry = kTwice}, "child").build());
  const RunId first = twice.run.sub_run_of(StepIndex(0), ItemIndex(0));
  twice.fail("c");
  twice.pass(Duration(10));
  EXPECT_THAT(twice.events(), ElementsAre("task_scheduled c"));
  EXPECT_NE(twice.run.sub_run_of(StepIndex(0), ItemIndex(0)), first);
}

TEST(DecideSubRun, TheyAreNestedToABound) {
  const auto project = ProjectBuilder().workflow("child").sub_run_step("c", {}, "child").build();
  Story deep(project, "{}", {.depth = kMaxDepth});
  EXPECT_EQ(deep.error(), "too_deep");
  Story allowed(project, "{}", {.depth = kMaxDepth - 1});
  EXPECT_EQ(allowed.status(), "running");
}

TEST(DecideSubRun, AnInputThatBreaksTheOtherWorkflowsSchemaFailsTheStep) {
  Story story(ProjectBuilder()
                  .workflow("child", R"({"type":"object"})")
                  .sub_run_step("c", {.input = "7"}, "child")
                  .build());
  EXPECT_EQ(story.error(), "invalid_input");
}

TEST(DecideSubRun, AMapStartsOneForEachItem) {
  Story story(ProjectBuilder()
                  .workflow("child")
                  .sub_run_step("c", {.for_each = "${{ [1, 2] }}", .input = "${{ item }}"}, "child")
                  .build());
  EXPECT_NE(story.run.sub_run_of(StepIndex(0), ItemIndex(0)),
            story.run.sub_run_of(StepIndex(0), ItemIndex(1)));
  story.succeed("c", "10", 0);
  story.succeed("c", "20", 1);
  EXPECT_EQ(story.output(), R"({"c":[10,20]})");
}

TEST(DecideSubRun, AParentResumesOnlyWhatItHasPaused) {
  Story story(ProjectBuilder().agent_step("a", {}).build());
  story.give(Pause{.by_parent = true});
  story.give(Resume{.by_parent = true});
  EXPECT_EQ(story.status(), "running");
  story.give(Pause{});
  story.give(Pause{.by_parent = true});
  EXPECT_TRUE(story.last.events.empty());
  story.give(Resume{.by_parent = true});
  EXPECT_EQ(story.status(), "paused");
  story.give(Resume{});
  EXPECT_EQ(story.status(), "running");
}

// --- agents by expression
// -------------------------------------------------------------------------------------------------------

TEST(DecideChoice, AnExpressionNamesTheAgent) {
  Story story(ProjectBuilder()
                  .add_agents({"x", "y"})
                  .agent_step("a", {.retry = kTwice, .choice = "${{ input.who }}"})
                  .build(),
              R"({"who": "y"})");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "y");
  story.fail("a");
  story.pass(Duration(10));
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "y");
  EXPECT_EQ(story.run.agent_of(StepIndex(0), ItemIndex(0)), "y");
}

TEST(DecideChoice, WhatIsNoAgentFailsTheStep) {
  for (const char* who : {"\"z\"", "3", "null"}) {
    Story story(ProjectBuilder().agent_step("a", {.choice = "${{ input.who }}"}).build(),
                std::string("{\"who\": ") + who + "}");
    EXPECT_EQ(story.error(), "unknown_agent") << who;
  }
}

TEST(DecideChoice, EachItemMayHaveItsOwn) {
  Story story(ProjectBuilder()
                  .add_agents({"x", "y"})
                  .agent_step("a", {.for_each = "${{ ['y', 'x'] }}", .choice = "${{ item }}"})
                  .build());
  EXPECT_EQ(story.run.agent_of(StepIndex(0), ItemIndex(0)), "y");
  EXPECT_EQ(story.run.agent_of(StepIndex(0), ItemIndex(1)), "x");
}

// --- routers
// -------------------------------------------------------------------------------------------------------

TEST(DecideRouter, TheFirstRuleThatMatchesDecides) {
  Story story(ProjectBuilder()
                  .add_agents({"translation", "qa"})
                  .router("intent", {{"(?i)\\btranslate\\b", "translation"}, {"t", "qa"}})
                  .agent_step("a", {}, "intent")
                  .build(),
              R"({"ask": ["please", {"do": "Translate this"}]})");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_routed a", "task_scheduled a"));
  EXPECT_EQ(story.said<TaskRouted>()->by, RoutedBy::rule);
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "translation");
  EXPECT_EQ(story.run.step(StepIndex(0)).details->agent, "translation");
}

TEST(DecideRouter, WithoutAMatchTheDefaultOrNobody) {
  ProjectBuilder with;
  with.add_agents({"x", "qa"}).router("r", {{"zzz", "x"}}, {}, "qa").agent_step("a", {}, "r");
  Story routed(with.build(), "\"hello\"");
  EXPECT_EQ(routed.said<TaskRouted>()->by, RoutedBy::otherwise);
  EXPECT_EQ(routed.said<TaskScheduled>()->agent, "qa");

  ProjectBuilder without;
  without.add_agents({"x"}).router("r", {{"zzz", "x"}}).agent_step("a", {}, "r");
  Story lost(without.build(), "\"hello\"");
  EXPECT_EQ(lost.error(), "no_route");
}

// With and without an expression that names the router.
class DecideClassifier : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Project> project(std::optional<std::string> otherwise) {
    return ProjectBuilder()
        .add_agents({"x", "model", "qa"})
        .router("r", {{"zzz", "x"}}, "model", std::move(otherwise))
        .agent_step("a", {.retry = kTwice, .choice = GetParam()}, "r")
        .build();
  }
};

TEST_P(DecideClassifier, ItIsAskedAndItsAnswerCounts) {
  for (const char* answer : {"\"x\"", R"({"agent": "x", "why": "because"})"}) {
    Story story(project("qa"), "\"hello\"");
    EXPECT_EQ(story.said<TaskScheduled>()->role, TaskRole::classify);
    EXPECT_EQ(story.said<TaskScheduled>()->agent, "model");
    story.succeed("a", answer);
    EXPECT_THAT(story.events(), ElementsAre("task_routed a", "task_scheduled a"));
    EXPECT_EQ(story.said<TaskRouted>()->by, RoutedBy::classifier);
    EXPECT_EQ(story.said<TaskRouted>()->router, "r");
    EXPECT_EQ(story.said<TaskScheduled>()->agent, "x");
    EXPECT_EQ(story.input("a"), "\"hello\"");
    story.succeed("a", "1");
    EXPECT_EQ(story.status(), "completed");
  }
}

TEST_P(DecideClassifier, AWrongAnswerIsAFailedAttemptAndThenTheDefaultFollows) {
  Story story(project("qa"), "\"hello\"");
  EXPECT_EQ(story.succeed("a", "\"somebody\""), Verdict::invalid);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  story.pass(Duration(10));
  EXPECT_EQ(story.said<TaskScheduled>()->role, TaskRole::classify);
  // An answer that is cut off is cut between characters.
  std::string umlauts;
  for (int i = 0; i < 150; ++i) umlauts += "ä";
  story.succeed("a", "\"" + umlauts + "\"");
  EXPECT_EQ(story.said<TaskRouted>()->by, RoutedBy::otherwise);
  EXPECT_EQ(story.said<TaskRouted>()->reason.substr(story.said<TaskRouted>()->reason.size() - 2), "ä");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "qa");
}

TEST_P(DecideClassifier, WithoutADefaultItsFailureIsTheTasks) {
  Story story(project({}), "\"hello\"");
  story.fail("a", 0, false);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
  EXPECT_EQ(story.error(), "boom");
  story.give(Retry{});
  EXPECT_EQ(story.said<TaskScheduled>()->role, TaskRole::classify);
  story.succeed("a", "\"x\"");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "x");
}

INSTANTIATE_TEST_SUITE_P(NamedOrChosen, DecideClassifier, ::testing::Values("", "r"));

TEST(DecideRouter, ItsTargetsFallbacksFollow) {
  AgentDefinition target = agent_named("x", WorkerAgent{});
  target.fallback = {"y"};
  Story story(ProjectBuilder()
                  .add_agent(target)
                  .add_agents({"y"})
                  .router("r", {{".", "x"}})
                  .agent_step("a", {}, "r")
                  .build(),
              "\"hello\"");
  story.fail("a");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "y");
}

// --- fallback chains
// -------------------------------------------------------------------------------------------------------

TEST(DecideFallback, EachLinkHasItsOwnAttempts) {
  AgentDefinition first = agent_named("first", WorkerAgent{});
  first.retry = kTwice;
  first.fallback = {"second"};
  AgentDefinition second = first;
  second.name = "second";
  second.retry.max_attempts = 1;
  Story story(
      ProjectBuilder().add_agent(first).add_agent(second).agent_step("a", {.retry = {}}, "first").build());
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  story.pass(Duration(10));
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "task_scheduled a"));
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "second");
  EXPECT_EQ(story.said<TaskScheduled>()->attempt, Attempt(3));
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
  ASSERT_EQ(story.last.dead_letters.size(), 1u);
  EXPECT_EQ(story.last.dead_letters.front().agent, "second");
}

TEST(DecideFallback, ARetryOfTheRunBeginsWithTheFirstLink) {
  Story story(ProjectBuilder().add_agents({"second"}).agent_step("a", {.fallback = {"second"}}).build());
  story.fail("a");
  story.fail("a");
  EXPECT_EQ(story.status(), "failed");
  story.give(Retry{});
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "worker");
  EXPECT_EQ(story.said<TaskScheduled>()->link, 0u);
  EXPECT_THAT(story.last.revived,
              ElementsAre(AttemptToken{story.run.id(), StepIndex(0), ItemIndex(0), Attempt(2)}));
  EXPECT_EQ(story.run.step(StepIndex(0)).details->agent, "");
}

TEST(DecideFallback, AFailureThatIsNotRetryableGoesOnWithTheNextLink) {
  Story story(ProjectBuilder()
                  .add_agents({"second"})
                  .agent_step("a", {.retry = kTwice, .fallback = {"second"}})
                  .build());
  story.fail_with("a", "circuit_open");
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "second");
}

TEST(DecideFallback, APausedRunTakesTheNextLinkWhenItIsResumed) {
  Story story(ProjectBuilder().add_agents({"second"}).agent_step("a", {.fallback = {"second"}}).build());
  story.give(Pause{});
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  story.give(Resume{});
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "second");
}

TEST(DecideFallback, ARecallThatFindsNothingLeavesTheErrorOfWhoeverWasAskedBefore) {
  Story story(ProjectBuilder().agent_step("a", {.fallback = {"cache"}}).build());
  story.fail("a");
  EXPECT_EQ(story.said<TaskScheduled>()->role, TaskRole::recall);
  story.fail_with("a", "cache_miss");
  EXPECT_EQ(story.error(), "boom");
}

TEST(DecideFallback, ARecallHasTheKeyUnderWhichTheOutputWasKept) {
  const auto project =
      ProjectBuilder().agent_step("a", {.input = "${{ input }}", .fallback = {"cache"}}).build();
  Story first(project, "[1]");
  first.succeed("a", "7");
  ASSERT_EQ(first.last.cached.size(), 1u);
  EXPECT_EQ(first.last.cached.front().output.bytes(), "7");

  Story second(project, "[1]");
  second.fail("a");
  const TaskRecord& task = *second.run.find_task(StepIndex(0), ItemIndex(0));
  EXPECT_EQ(task.details->cache_key, first.last.cached.front().key);
  second.succeed("a", "7");
  EXPECT_EQ(second.status(), "completed");
  EXPECT_TRUE(second.last.cached.empty());
}

// --- the cache
// -------------------------------------------------------------------------------------------------------

TEST(DecideCache, ItIsAskedFirstAndAHitIsTheOutput) {
  Story story(ProjectBuilder().agent_step("a", {.cache = Duration(1000)}).build());
  EXPECT_EQ(story.said<TaskScheduled>()->role, TaskRole::cache);
  story.succeed("a", "7");
  EXPECT_EQ(story.output(), R"({"a":7})");
  EXPECT_TRUE(story.last.cached.empty());
  EXPECT_EQ(story.run.step(StepIndex(0)).attempts, 0u);
}

TEST(DecideCache, AfterAMissTheAgentIsAskedAndItsOutputIsKept) {
  Story story(ProjectBuilder().agent_step("a", {.cache = Duration(1000)}).build(), "[1]");
  const std::string key = story.said<TaskScheduled>()->cache_key;
  story.fail_with("a", "cache_miss");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "task_scheduled a"));
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "worker");
  EXPECT_TRUE(story.last.dead_letters.empty());
  story.succeed("a", "7");
  ASSERT_EQ(story.last.cached.size(), 1u);
  EXPECT_EQ(story.last.cached.front().key, key);
  EXPECT_EQ(story.last.cached.front().ttl, Duration(1000));
  EXPECT_EQ(story.run.step(StepIndex(0)).attempts, 1u);
}

TEST(DecideCache, WhatAFallbackAnswersIsNotKept) {
  Story story(ProjectBuilder()
                  .add_agents({"second"})
                  .agent_step("a", {.fallback = {"second"}, .cache = Duration(1000)})
                  .build());
  story.fail_with("a", "cache_miss");
  story.fail("a", 0, false);
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "second");
  story.succeed("a", "7");
  EXPECT_THAT(story.output(), R"({"a":7})");
  EXPECT_TRUE(story.last.cached.empty());
}

TEST(DecideCache, TheKeyIsTheAgentAndItsInputOrWhatTheStepSays) {
  const auto key = [](const StepSpec& spec, const std::string& input, const std::string& agent = "worker") {
    Story story(ProjectBuilder().agent_step("a", spec, agent).build(), input);
    return story.said<TaskScheduled>()->cache_key;
  };
  const StepSpec plain{.cache = Duration(1)};
  EXPECT_EQ(key(plain, "[1]"), key(plain, "[1]"));
  EXPECT_NE(key(plain, "[1]"), key(plain, "[2]"));
  EXPECT_NE(key(plain, "[1]"), key(plain, "[1]", "other"));
  const StepSpec own{.cache = Duration(1), .cache_key = "${{ size(input) }}"};
  EXPECT_EQ(key(own, "[1]"), key(own, "[2]"));
  EXPECT_NE(key(own, "[1]"), key(own, "[]"));
}

TEST(DecideCache, AKeyThatCannotBeMadeFailsTheStep) {
  Story story(
      ProjectBuilder().agent_step("a", {.cache = Duration(1), .cache_key = "${{ input.none }}"}).build());
  EXPECT_EQ(story.error(), "no_such_key");
}

TEST(DecideCache, ARouterIsAskedAfterTheMissOnly) {
  Story story(ProjectBuilder()
                  .add_agents({"x"})
                  .router("r", {{".", "x"}})
                  .agent_step("a", {.cache = Duration(1000)}, "r")
                  .build(),
              "\"hello\"");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_scheduled a"));
  story.fail_with("a", "cache_miss");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "task_routed a", "task_scheduled a"));
  story.succeed("a", "1");
  EXPECT_EQ(story.last.cached.size(), 1u);
}

TEST(DecideCache, AnOutputThatIsRefusedIsNotKept) {
  Story story(ProjectBuilder()
                  .add_agent("strict", R"({"type":"integer"})")
                  .agent_step("a", {.cache = Duration(1000)}, "strict")
                  .build());
  story.fail_with("a", "cache_miss");
  EXPECT_EQ(story.succeed("a", "\"x\""), Verdict::invalid);
  EXPECT_TRUE(story.last.cached.empty());
}

}  // namespace
}  // namespace ganglion

#include "core/decide.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using ::testing::ElementsAre;
using testing::kStoryRun;
using testing::kStoryStart;
using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

TEST(Decide, AStepStartsWhenAllThatItNeedsHasEnded) {
  Story story(ProjectBuilder()
                  .agent_step("a", {})
                  .agent_step("b", {})
                  .agent_step("c", {.needs = {"a", "b"}})
                  .build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_scheduled a", "task_scheduled b"));

  story.succeed("b", "2");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded b"));

  story.succeed("a", "1");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "task_scheduled c"));
}

TEST(Decide, AStepSeesItsInputAndNothingElse) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.input = "${{ input.x }}"})
                  .agent_step("b", {.needs = {"a"}, .input = "${{ steps.a.output.y + 1 }}"})
                  .build(),
              R"({"x": 1.50, "secret": 2})");
  EXPECT_EQ(story.run.step(StepIndex(0)).tasks[0].input.bytes(), "1.50");

  story.succeed("a", R"({"y": 41})");
  EXPECT_EQ(story.run.step(StepIndex(1)).tasks[0].input.bytes(), "42");
}

TEST(Decide, TheRunCompletesWithItsOutput) {
  Story story(ProjectBuilder().agent_step("a", {}).output("${{ {'got': steps.a.output} }}").build());
  story.succeed("a", "[1, 2.0]");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "run_completed"));
  EXPECT_EQ(story.output(), R"({"got":[1, 2.0]})");
}

TEST(Decide, WithoutAnOutputTheLastStepsAreTheOutput) {
  Story story(
      ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).agent_step("c", {}).build());
  story.succeed("a", "1");
  story.succeed("b", "2");
  story.succeed("c", "3");
  EXPECT_EQ(story.output(), R"({"b":2,"c":3})");
}

TEST(Decide, AFalseConditionSkipsTheStepAndThoseThatNeedItRun) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.condition = "input.go"})
                  .agent_step("b", {.needs = {"a"}, .input = "${{ [steps.a.output, steps.a.status] }}"})
                  .build(),
              R"({"go": false})");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_skipped a", "task_scheduled b"));
  EXPECT_EQ(story.run.step(StepIndex(1)).tasks[0].input.bytes(), R"([null,"skipped"])");
}

TEST(Decide, AFailedAttemptIsRetriedAfterItsPauseAndNotBefore) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.retry = RetryPolicy{.max_attempts = 2,
                                                         .backoff = Backoff::constant,
                                                         .initial = Duration(100),
                                                         .max = Duration(100),
                                                         .jitter = 0}})
                  .build());
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  EXPECT_EQ(story.run.next_wakeup(), kStoryStart + Duration(100));

  story.pass(Duration(99));
  EXPECT_THAT(story.events(), ElementsAre());
  story.pass(Duration(1));
  EXPECT_THAT(story.events(), ElementsAre("task_scheduled a"));
  EXPECT_EQ(story.token("a").attempt, Attempt(2));

  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
}

TEST(Decide, AFailureThatIsNotRetryableEndsTheAttempts) {
  Story story(ProjectBuilder().agent_step("a", {.retry = RetryPolicy{.max_attempts = 9}}).build());
  story.fail("a", 0, false);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
}

TEST(Decide, OnlyTheCurrentAttemptCounts) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.retry = RetryPolicy{.max_attempts = 3, .initial = Duration(10)}})
                  .agent_step("b", {})
                  .build());
  const AttemptToken first = story.token("a");
  story.fail("a");
  EXPECT_EQ(story.report(first, TaskSuccess{Payload("1"), {}}), Verdict::stale_attempt);
  story.pass(Duration(1000));
  EXPECT_EQ(story.report(first, TaskSuccess{Payload("1"), {}}), Verdict::stale_attempt);
  EXPECT_TRUE(story.last.events.empty());

  const AttemptToken second = story.token("a");
  EXPECT_EQ(story.report(second, TaskSuccess{Payload("1"), {}}), Verdict::accepted);
  EXPECT_EQ(story.report(second, TaskSuccess{Payload("2"), {}}), Verdict::stale_attempt);
  EXPECT_TRUE(story.last.events.empty());
}

TEST(Decide, ATokenOfNothingIsUnknown) {
  Story story(ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build());
  const auto verdict = [&](std::uint32_t step, std::uint32_t item, std::uint32_t attempt) {
    return story.report({kStoryRun, StepIndex(step), ItemIndex(item), Attempt(attempt)},
                        TaskSuccess{Payload("1"), {}});
  };
  EXPECT_EQ(verdict(7, 0, 1), Verdict::unknown);
  EXPECT_EQ(verdict(0, 1, 1), Verdict::unknown);
  EXPECT_EQ(verdict(0, 0, 2), Verdict::unknown);
  EXPECT_EQ(verdict(0, 0, 0), Verdict::unknown);
  EXPECT_EQ(verdict(1, 0, 1), Verdict::unknown);
}

TEST(Decide, AnOutputThatBreaksTheSchemaIsAFailedAttempt) {
  Story story(ProjectBuilder()
                  .add_agent("strict", R"({"type":"object","required":["n"]})")
                  .agent_step("a", {.retry = RetryPolicy{.max_attempts = 2}}, "strict")
                  .build());
  EXPECT_EQ(story.succeed("a", "{}"), Verdict::invalid);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  story.pass(Duration(10'000));
  EXPECT_EQ(story.succeed("a", R"({"n": 1})"), Verdict::accepted);
}

TEST(Decide, AMapHandsOutItsItemsInOrderUpToItsBound) {
  Story story(
      ProjectBuilder()
          .agent_step(
              "a", {.for_each = "${{ input.list }}", .max_parallel = 2, .input = "${{ item * 10 + index }}"})
          .output("${{ steps.a.output }}")
          .build(),
      R"({"list": [1, 2, 3]})");
  EXPECT_THAT(story.events(),
              ElementsAre("run_created", "step_started a", "task_scheduled a[0]", "task_scheduled a[1]"));
  EXPECT_EQ(story.run.step(StepIndex(0)).tasks[1].input.bytes(), "21");

  story.succeed("a", "\"y\"", 1);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a[1]", "task_scheduled a[2]"));
  story.succeed("a", "\"z\"", 2);
  story.succeed("a", "\"x\"", 0);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a[0]", "step_completed a", "run_completed"));
  EXPECT_EQ(story.output(), R"(["x","y","z"])");
}

TEST(Decide, AMapOverNothingIsDoneAtOnce) {
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ [] }}"}).build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_completed a", "run_completed"));
  EXPECT_EQ(story.output(), R"({"a":[]})");
}

TEST(Decide, AMapThatContinuesKeepsNullForWhatFailed) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.for_each = "${{ [1, 2] }}", .on_failure = OnFailure::continue_run})
                  .output("${{ [steps.a.output, steps.a.error.code] }}")
                  .build());
  story.fail("a", 0);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a[0]"));
  story.succeed("a", "5", 1);
  EXPECT_EQ(story.output(), R"([[null,5],"items_failed"])");
}

TEST(Decide, AMapThatDoesNotContinueWithdrawsItsOtherItems) {
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ [1, 2, 3] }}"}).build());
  story.fail("a", 1);
  EXPECT_THAT(story.events(), ElementsAre("task_failed a[1]", "step_failed a", "run_failed a"));
  EXPECT_EQ(story.last.withdrawn.size(), 2u);
}

TEST(Decide, AMapWithoutABoundHasTheEnginesBound) {
  std::string list = "[0";
  for (std::size_t i = 0; i < kMaxTasksInFlight; ++i) list += ",0";
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ input }}"}).build(), list + "]");
  EXPECT_EQ(story.run.open_attempts().size(), kMaxTasksInFlight);
  story.succeed("a", "1", 0);
  EXPECT_EQ(story.events().back(), "task_scheduled a[" + std::to_string(kMaxTasksInFlight) + "]");
}

TEST(Decide, ResultsThatTogetherAreTooLargeFailTheStep) {
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ [1, 2] }}"}).build());
  const std::string half = "\"" + std::string(kMaxPayload / 2, 'x') + "\"";
  story.succeed("a", half, 0);
  story.succeed("a", half, 1);
  EXPECT_EQ(std::get<RunBroken>(story.run.state()).error->code, "too_large");
}

TEST(Decide, AMappedSleepEndsItemByItem) {
  StepSpec mapped;
  mapped.for_each = "${{ [2, 1] }}";
  Story story(
      ProjectBuilder().sleep_step("s", mapped, "${{ item }}").output("${{ steps.s.output }}").build());
  EXPECT_THAT(story.events(),
              ElementsAre("run_created", "step_started s", "task_waiting s[0]", "task_waiting s[1]"));
  story.pass(Duration(1000));
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded s[1]"));
  story.pass(Duration(1000));
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded s[0]", "step_completed s", "run_completed"));
  EXPECT_EQ(story.output(), "[null,null]");
}

TEST(Decide, UsageBeyondItsBoundIsRefused) {
  Story story(ProjectBuilder().agent_step("a", {}).build());
  const Payload usage("{\"" + std::string(kMaxUsage, 'x') + "\":1}");
  EXPECT_EQ(story.report("a", 0, TaskSuccess{Payload("1"), usage}), Verdict::invalid);
}

TEST(Decide, UsageOfAllResultsIsSummed) {
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ [1, 2] }}"}).build());
  story.report("a", 0, TaskSuccess{Payload("1"), Payload(R"({"usd": 0.25, "model": "m"})")});
  story.report("a", 1, TaskSuccess{Payload("1"), Payload(R"({"usd": 0.5})")});
  EXPECT_EQ(story.run.usage(), (std::map<std::string, double>{{"usd", 0.75}}));
}

TEST(Decide, MoreItemsThanAllowedFailTheStep) {
  std::string list = "[0";
  for (std::size_t i = 0; i < kMaxMapItems; ++i) list += ",0";
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ input }}"}).build(), list + "]");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_failed a", "run_failed a"));
}

TEST(Decide, AFailureThatContinuesIsSeenByWhatFollows) {
  Story story(ProjectBuilder()
                  .agent_step("a", {.on_failure = OnFailure::continue_run})
                  .agent_step("b", {.needs = {"a"},
                                    .input = "${{ has(steps.a.error) ? steps.a.error.code : 'none' }}"})
                  .build());
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "task_scheduled b"));
  EXPECT_EQ(story.run.step(StepIndex(1)).tasks[0].input.bytes(), "\"boom\"");
}

TEST(Decide, AnExpressionThatFailsFailsItsStep) {
  Story story(ProjectBuilder().agent_step("a", {.input = "${{ input.none }}"}).build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_failed a", "run_failed a"));
  EXPECT_EQ(std::get<RunBroken>(story.run.state()).error->code, "no_such_key");
}

TEST(Decide, ATransformNeedsNoAgent) {
  Story story(ProjectBuilder()
                  .transform_step("t", {.for_each = "${{ [1, 2] }}"}, "${{ item * 2 }}")
                  .output("${{ steps.t.output }}")
                  .build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "step_completed t", "run_completed"));
  EXPECT_EQ(story.output(), "[2,4]");
}

TEST(Decide, ASleepEndsAtItsTimeAndNotBefore) {
  Story story(ProjectBuilder().sleep_step("s", {}, "24h").build());
  EXPECT_EQ(story.run.status(), "waiting");
  story.pass(Duration(86'399'999));
  EXPECT_TRUE(story.last.events.empty());
  story.pass(Duration(1));
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded s", "run_completed"));
}

TEST(Decide, ASleepOfNonsenseFails) {
  for (const char* duration : {"soon", "${{ -1 }}", "${{ [] }}", "${{ 1.0 / 0.0 }}"}) {
    Story story(ProjectBuilder().sleep_step("s", {}, duration).build());
    EXPECT_EQ(story.run.status(), "failed") << duration;
  }
}

TEST(Decide, AStepsTimeoutCoversAttemptsAndPauses) {
  Story story(
      ProjectBuilder()
          .agent_step("a", {.timeout = Duration(1000),
                            .retry = RetryPolicy{.max_attempts = 9, .initial = Duration(600), .jitter = 0}})
          .build());
  story.fail("a");
  story.pass(Duration(600));
  story.pass(Duration(399));
  EXPECT_TRUE(story.last.events.empty());
  story.pass(Duration(1));
  EXPECT_THAT(story.events(), ElementsAre("step_failed a", "run_failed a"));
  EXPECT_THAT(story.last.withdrawn,
              ElementsAre(AttemptToken{kStoryRun, StepIndex(0), ItemIndex(0), Attempt(2)}));
}

TEST(Decide, ARunsTimeoutEndsIt) {
  Story story(ProjectBuilder().agent_step("a", {}).timeout(Duration(5000)).build());
  story.pass(Duration(5000));
  EXPECT_THAT(story.events(), ElementsAre("run_failed"));
  EXPECT_EQ(story.status("a"), "cancelled");
}

TEST(Decide, AfterACancelNothingIsDispatched) {
  Story story(ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build());
  const AttemptToken token = story.token("a");
  story.give(Cancel{"not needed"});
  EXPECT_THAT(story.events(), ElementsAre("run_cancelled"));
  EXPECT_THAT(story.last.withdrawn, ElementsAre(token));
  EXPECT_EQ(story.report(token, TaskSuccess{Payload("1"), {}}), Verdict::stale_attempt);
  story.give(Cancel{"again"});
  EXPECT_TRUE(story.last.events.empty());
  EXPECT_FALSE(story.last.refusal);
}

TEST(Decide, AnEndedRunRefusesWhatNoLongerMakesSense) {
  Story story(ProjectBuilder().transform_step("t", {}, "1").build());
  for (const Input& input : {Input(Cancel{""}), Input(Pause{}), Input(Resume{}), Input(Retry{})}) {
    story.give(input);
    ASSERT_TRUE(story.last.refusal);
    EXPECT_EQ(story.last.refusal->code, "conflict");
    EXPECT_TRUE(story.last.events.empty());
  }
}

TEST(Decide, APausedRunTakesResultsAndStartsNothing) {
  Story story(ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build());
  story.give(Pause{});
  EXPECT_EQ(story.succeed("a", "1"), Verdict::accepted);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a"));
  EXPECT_EQ(story.run.next_wakeup(), std::nullopt);

  story.give(Resume{});
  EXPECT_THAT(story.events(), ElementsAre("run_resumed", "task_scheduled b"));
}

TEST(Decide, APausedMapGoesOnWhereItStopped) {
  Story story(ProjectBuilder().agent_step("a", {.for_each = "${{ [1, 2, 3] }}", .max_parallel = 1}).build());
  story.give(Pause{});
  story.succeed("a", "1", 0);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a[0]"));
  story.give(Resume{});
  EXPECT_THAT(story.events(), ElementsAre("run_resumed", "task_scheduled a[1]"));
}

TEST(Decide, ARetryGoesOnFromWhatFailed) {
  Story story(ProjectBuilder()
                  .agent_step("done", {})
                  .agent_step("a", {.needs = {"done"}, .for_each = "${{ [1, 2] }}"})
                  .agent_step("c", {.needs = {"a"}})
                  .build());
  story.succeed("done", "0");
  story.succeed("a", "10", 0);
  story.fail("a", 1);
  EXPECT_EQ(story.run.status(), "failed");

  story.give(Retry{});
  EXPECT_THAT(story.events(), ElementsAre("run_retried", "task_scheduled a[1]"));
  EXPECT_EQ(story.token("a", 1).attempt, Attempt(2));
  story.succeed("a", "20", 1);
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a[1]", "step_completed a", "task_scheduled c"));
  story.succeed("c", "1");
  EXPECT_EQ(story.run.status(), "completed");
}

TEST(Decide, ARetryForgivesTheAttemptsBeforeIt) {
  const RetryPolicy twice{.max_attempts = 2,
                          .backoff = Backoff::constant,
                          .initial = Duration(1),
                          .max = Duration(1),
                          .jitter = 0};
  Story story(ProjectBuilder().agent_step("a", {.retry = twice}).build());
  story.fail("a");
  story.pass(Duration(1));
  story.fail("a");
  story.give(Retry{});
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a"));
  story.pass(Duration(1));
  EXPECT_EQ(story.token("a").attempt, Attempt(4));
}

TEST(Decide, AnOutputBeyondTheBoundIsRefused) {
  Story story(ProjectBuilder().agent_step("a", {}).build());
  EXPECT_EQ(story.succeed("a", "\"" + std::string(kMaxPayload, 'x') + "\""), Verdict::invalid);
  EXPECT_EQ(std::get<RunBroken>(story.run.state()).error->code, "output_too_large");
}

}  // namespace
}  // namespace ganglion

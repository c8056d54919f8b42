// People, signals, events, timers: what a run waits for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
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

// --- approvals
// -------------------------------------------------------------------------------------------------------

TEST(DecideApproval, NothingThatNeedsItStartsBeforeTheDecision) {
  Story story(ProjectBuilder()
                  .approve_step("ok", {.input = "${{ input.diff }}"})
                  .agent_step("merge", {.needs = {"ok"}, .input = "${{ steps.ok.output }}"})
                  .build(),
              R"({"diff": "+1"})");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_waiting ok"));
  EXPECT_EQ(story.status(), "waiting");
  EXPECT_EQ(story.status("ok"), "waiting");
  EXPECT_EQ(story.asked("ok")->show.bytes(), "\"+1\"");
  EXPECT_EQ(story.asked("ok")->digest, sha256_hex("\"+1\""));

  story.approve("ok");
  EXPECT_THAT(story.events(),
              ElementsAre("approval_decided ok", "task_succeeded ok", "task_scheduled merge"));
  EXPECT_EQ(story.input("merge"), R"({"decision":"approve","by":"ann","comment":""})");
}

TEST(DecideApproval, ARejectionFailsTheStepAndIsNoDeadLetter) {
  Story story(ProjectBuilder().approve_step("ok", {.retry = RetryPolicy{.max_attempts = 5}}).build());
  story.reject("ok", "not like this");
  EXPECT_THAT(story.events(),
              ElementsAre("approval_decided ok", "task_failed ok", "step_failed ok", "run_failed ok"));
  EXPECT_EQ(story.error(), "rejected");
  EXPECT_TRUE(story.last.dead_letters.empty());
}

TEST(DecideApproval, ARejectionMayContinue) {
  Story story(ProjectBuilder()
                  .approve_step("ok", {.on_failure = OnFailure::continue_run})
                  .agent_step("b", {.needs = {"ok"}, .input = "${{ steps.ok.error.code }}"})
                  .build());
  story.reject("ok");
  EXPECT_EQ(story.input("b"), "\"rejected\"");
}

TEST(DecideApproval, OnlyADecisionAboutWhatIsShownCounts) {
  Story story(ProjectBuilder().approve_step("ok", {}).build());
  story.answer("ok", "ann", sha256_hex("something else"));
  EXPECT_EQ(story.refusal(), "digest_mismatch");
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideApproval, OnlyThoseWhoAreNamedDecide) {
  Story story(ProjectBuilder().approve_step("ok", {}, {"ann", "bob"}).build());
  for (const char* nobody : {"", "eve"}) {
    story.approve("ok", nobody);
    EXPECT_EQ(story.refusal(), "not_permitted");
    EXPECT_TRUE(story.last.events.empty());
  }
  story.approve("ok", "bob");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideApproval, ADecisionCountsOnce) {
  Story story(ProjectBuilder().approve_step("ok", {}).agent_step("b", {}).build());
  const std::string digest = story.asked("ok")->digest;
  story.approve("ok");
  story.answer("ok", "ann", digest, false);
  EXPECT_EQ(story.refusal(), "conflict");
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideApproval, ItIsVoidWhenItsStepOrRunHasEnded) {
  Story late(ProjectBuilder().approve_step("ok", {.timeout = Duration(1000)}).build());
  const std::string digest = late.asked("ok")->digest;
  late.pass(Duration(999));
  EXPECT_TRUE(late.last.events.empty());
  late.pass(Duration(1));
  EXPECT_THAT(late.events(), ElementsAre("step_failed ok", "run_failed ok"));
  EXPECT_THAT(late.last.withdrawn, ElementsAre(late.token("ok")));
  late.answer("ok", "ann", digest);
  EXPECT_EQ(late.refusal(), "conflict");

  Story cancelled(ProjectBuilder().approve_step("ok", {}).build());
  cancelled.give(Cancel{""});
  EXPECT_THAT(cancelled.last.withdrawn, ElementsAre(cancelled.token("ok")));
  cancelled.answer("ok", "ann", digest);
  EXPECT_EQ(cancelled.refusal(), "conflict");
}

TEST(DecideApproval, ARetryAsksAgainUnderANewToken) {
  Story story(ProjectBuilder().approve_step("ok", {}).build());
  const AttemptToken first = story.token("ok");
  const std::string digest = story.asked("ok")->digest;
  story.reject("ok");
  story.give(Retry{});
  EXPECT_THAT(story.events(), ElementsAre("run_retried", "task_waiting ok"));
  story.give(Answer{first, true, "ann", "", digest});
  EXPECT_EQ(story.refusal(), "conflict");
  story.approve("ok");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideApproval, AnAgentsReportIsNoDecision) {
  Story story(ProjectBuilder().approve_step("ok", {}).build());
  EXPECT_EQ(story.succeed("ok", "1"), Verdict::stale_attempt);
}

// --- human agents
// -------------------------------------------------------------------------------------------------------

TEST(DecideHuman, TheAnswersOutputIsTheTasks) {
  Story story(
      ProjectBuilder().human("legal", {"ann"}).agent_step("a", {.input = "${{ input }}"}, "legal").build(),
      R"({"contract": 7})");
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_waiting a"));
  EXPECT_EQ(story.asked("a")->agent, "legal");
  EXPECT_EQ(story.asked("a")->show.bytes(), R"({"contract": 7})");
  story.approve("a", "eve");
  EXPECT_EQ(story.refusal(), "not_permitted");
  story.approve("a", "ann", Payload("[42]"));
  EXPECT_EQ(story.output(), R"({"a":[42]})");
}

TEST(DecideHuman, WithoutAnOutputTheDecisionIsIt) {
  Story story(ProjectBuilder().human("legal").agent_step("a", {}, "legal").build());
  story.approve("a", "ann");
  EXPECT_EQ(story.output(), R"({"a":{"decision":"approve","by":"ann","comment":""}})");
}

TEST(DecideHuman, AnOutputThatBreaksTheSchemaIsRefusedAndAskedAgain) {
  AgentDefinition agent = agent_named("legal", HumanAgent{});
  agent.output = schema::Schema::compile(boost::json::parse(R"({"type":"integer"})")).value();
  Story story(ProjectBuilder().add_agent(agent).agent_step("a", {}, "legal").build());
  story.approve("a", "ann", Payload("\"no\""));
  EXPECT_EQ(story.refusal(), "invalid");
  EXPECT_TRUE(story.last.events.empty());
  story.approve("a", "ann", Payload("5"));
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideHuman, APersonCanBeTheLastLinkOfAChain) {
  Story story(ProjectBuilder()
                  .human("legal")
                  .agent_step("a", {.input = "${{ input.x }}", .fallback = {"legal"}})
                  .build(),
              R"({"x": 1})");
  story.fail("a");
  EXPECT_THAT(story.events(), ElementsAre("task_failed a", "task_waiting a"));
  EXPECT_EQ(story.asked("a")->show.bytes(), "1");
  EXPECT_EQ(story.run.step(StepIndex(0)).details->agent, "legal");
  EXPECT_TRUE(story.last.dead_letters.empty());
  story.approve("a", "ann", Payload("2"));
  EXPECT_EQ(story.output(), R"({"a":2})");
}

TEST(DecideHuman, WhereAPersonRejectsTheNextLinkFollows) {
  Story story(ProjectBuilder()
                  .human("legal")
                  .add_agent("clerk", "")
                  .agent_step("a", {.fallback = {"clerk"}, .choice = "legal"}, "legal")
                  .build());
  story.reject("a");
  EXPECT_THAT(story.events(), ElementsAre("approval_decided a", "task_failed a", "task_scheduled a"));
  EXPECT_EQ(story.said<TaskScheduled>()->agent, "clerk");
}

// --- signals
// -------------------------------------------------------------------------------------------------------

TEST(DecideSignal, OneThatComesDuringTheWaitEndsIt) {
  Story story(ProjectBuilder().wait_step("w", {}, "go").output("${{ steps.w.output }}").build());
  EXPECT_THAT(story.events(), ElementsAre("run_created", "task_waiting w"));
  story.signal("go", "s1", R"({"n": 1})");
  EXPECT_THAT(story.events(),
              ElementsAre("signal_received", "event_delivered w", "task_succeeded w", "run_completed"));
  EXPECT_EQ(story.output(),
            R"({"id":"s1","type":"go","source":"signal","time":"2023-11-14T22:13:20.000Z","data":{"n": 1}})");
}

TEST(DecideSignal, OneThatComesBeforeTheWaitIsKeptForIt) {
  Story story(ProjectBuilder().agent_step("a", {}).wait_step("w", {.needs = {"a"}}, "go").build());
  story.signal("stop", "s0");
  story.signal("go", "s1");
  EXPECT_EQ(story.run.signals().size(), 2u);
  story.succeed("a", "1");
  EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "task_waiting w", "event_delivered w",
                                          "task_succeeded w", "run_completed"));
  EXPECT_EQ(story.said<EventDelivered>()->id, "s1");
  EXPECT_EQ(story.run.signals().size(), 1u);
}

TEST(DecideSignal, TheSameIdTwiceIsOneSignal) {
  Story story(ProjectBuilder().wait_step("v", {}, "go").wait_step("w", {}, "go").build());
  story.signal("go", "s1");
  EXPECT_EQ(story.status("v"), "completed");
  story.signal("go", "s1");
  EXPECT_TRUE(story.last.events.empty());
  EXPECT_FALSE(story.last.refusal);
  EXPECT_EQ(story.status("w"), "waiting");
}

TEST(DecideSignal, ItIsForTheFirstOfTwoThatWait) {
  Story story(ProjectBuilder().wait_step("v", {}, "go").wait_step("w", {}, "go").build());
  story.signal("go", "s1");
  EXPECT_EQ(story.status("v"), "completed");
  EXPECT_EQ(story.status("w"), "waiting");
  story.signal("go", "s2");
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideSignal, WhatWhereRefusesIsKeptForAnotherWait) {
  Story story(ProjectBuilder()
                  .wait_step("w", {}, "go", "event.data.n == 2")
                  .wait_step("x", {.needs = {"w"}}, "go")
                  .build());
  for (const char* unfit : {"null", R"({"n": 1})", R"({"n": "2"})", "[2]"}) {
    story.signal("go", unfit, unfit);
    EXPECT_THAT(story.events(), ElementsAre("signal_received"));
  }
  story.signal("go", "fit", R"({"n": 2})");
  // `x` takes the oldest that was kept.
  EXPECT_EQ(story.status(), "completed");
  EXPECT_EQ(story.said<EventDelivered>()->id, "null");
}

TEST(DecideSignal, TooManyAreRefused) {
  Story story(ProjectBuilder().agent_step("a", {}).build());
  for (std::size_t i = 0; i < kMaxSignals; ++i) story.signal("go", std::to_string(i));
  story.signal("go", "one more");
  EXPECT_EQ(story.refusal(), "too_many_signals");
  EXPECT_EQ(story.run.signals().size(), kMaxSignals);
}

TEST(DecideSignal, OneThatWasUsedIsNotUsedAgainAfterARetry) {
  Story story(ProjectBuilder().wait_step("w", {}, "go").agent_step("a", {.needs = {"w"}}).build());
  story.signal("go", "s1");
  story.fail("a");
  story.signal("go", "s2");
  EXPECT_EQ(story.refusal(), "conflict");
  story.give(Retry{});
  EXPECT_THAT(story.events(), ElementsAre("run_retried", "task_scheduled a"));
}

TEST(DecideSignal, APausedRunTakesIt) {
  Story story(ProjectBuilder().wait_step("w", {}, "go").agent_step("a", {.needs = {"w"}}).build());
  story.give(Pause{});
  story.signal("go", "s1");
  EXPECT_EQ(story.status("w"), "completed");
  EXPECT_EQ(story.status("a"), "pending");
  story.give(Resume{});
  EXPECT_THAT(story.events(), ElementsAre("run_resumed", "task_scheduled a"));
}

// --- events
// -------------------------------------------------------------------------------------------------------

TEST(DecideEvent, ItEndsEveryWaitThatWantsIt) {
  Story story(ProjectBuilder()
                  .wait_step("v", {}, "order.*")
                  .wait_step("w", {}, "**", "event.data == 1")
                  .wait_step("x", {}, "payment.*")
                  .build());
  story.event("order.made", "1");
  EXPECT_EQ(story.status("v"), "completed");
  EXPECT_EQ(story.status("w"), "completed");
  EXPECT_EQ(story.status("x"), "waiting");
  EXPECT_THAT(story.output("v"), HasSubstr(R"("type":"order.made","source":"test")"));
}

TEST(DecideEvent, ItIsNotForAWaitThatBeganAfterIt) {
  Story story(ProjectBuilder().wait_step("w", {}, "order.*").build());
  const TopicEvent old{
      .seq = 0, .id = "e", .source = "s", .topic = "order.made", .time = story.now, .data = {}};
  story.give(Deliver{old});
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideEvent, AWaitThatFollowsAnEventGetsTheNextOneAlsoIfTheLogHasGoneOn) {
  Story story(ProjectBuilder().wait_step("v", {}, "a").wait_step("w", {.needs = {"v"}}, "b").build());
  story.last_event = 2;  // both are in the log before either is delivered
  const auto event = [&](std::uint64_t seq, const char* topic) {
    return TopicEvent{.seq = seq, .id = topic, .source = "s", .topic = topic, .time = story.now, .data = {}};
  };
  story.give(Deliver{event(1, "a")});
  EXPECT_EQ(story.said<TaskWaiting>()->step, story.index("w"));
  story.give(Deliver{event(2, "b")});
  EXPECT_EQ(story.status(), "completed");
}

TEST(DecideEvent, TheSameEventDoesNotEndTwoWaitsInARow) {
  Story story(ProjectBuilder().wait_step("v", {}, "a").wait_step("w", {.needs = {"v"}}, "a").build());
  story.event("a");
  EXPECT_EQ(story.status("w"), "waiting");
  story.give(Deliver{{.seq = 1, .id = "e1", .source = "test", .topic = "a", .time = story.now, .data = {}}});
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideEvent, AWaitRepeatsUntilItsConditionHolds) {
  Story story(ProjectBuilder()
                  .wait_step("w", {.until = "steps.w.output.data == 3", .max_iterations = 5}, "n")
                  .output("${{ steps.w.output.data }}")
                  .build());
  story.event("n", "1");
  EXPECT_THAT(story.events(), ElementsAre("event_delivered w", "task_succeeded w", "task_waiting w"));
  story.event("n", "3");
  EXPECT_EQ(story.output(), "3");
}

TEST(DecideEvent, AMapWaitsForEachOfItsItems) {
  StepSpec mapped;
  mapped.for_each = "${{ [1, 2] }}";
  Story story(ProjectBuilder()
                  .wait_step("w", mapped, "n", "event.data == item")
                  .output("${{ steps.w.output.map(e, e.data) }}")
                  .build());
  story.event("n", "2");
  EXPECT_THAT(story.events(), ElementsAre("event_delivered w[1]", "task_succeeded w[1]"));
  story.signal("n", "s", "1");
  EXPECT_EQ(story.output(), "[1,2]");
}

TEST(DecideEvent, TheWaitsTimeoutIsTheSteps) {
  Story story(ProjectBuilder().wait_step("w", {.timeout = Duration(100)}, "n").build());
  story.pass(Duration(100));
  EXPECT_EQ(story.error(), "timeout");
  story.event("n");
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideEvent, TheRunsTimeoutEndsAllWaits) {
  Story story(ProjectBuilder()
                  .wait_step("w", {}, "n")
                  .approve_step("ok", {})
                  .sleep_step("s", {}, "1h")
                  .timeout(Duration(100))
                  .build());
  story.pass(Duration(100));
  EXPECT_EQ(story.error(), "timeout");
  EXPECT_EQ(story.last.withdrawn.size(), 3u);
  EXPECT_TRUE(story.run.waiting_for_events().empty());
}

}  // namespace
}  // namespace ganglion

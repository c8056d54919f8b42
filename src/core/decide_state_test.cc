// What a run leaves outside itself: events and the state of its session, by steps and by results.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using testing::agent_named;
using ::testing::ElementsAre;
using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

// --- publish
// -------------------------------------------------------------------------------------------------------

TEST(DecidePublish, TheEventIsTheStepsOutput) {
  Story story(ProjectBuilder().publish_step("p", {.input = "${{ input.x }}"}, "file.made").build(),
              R"({"x": [1]})");
  EXPECT_THAT(story.events(),
              ElementsAre("run_created", "event_published p", "step_completed p", "run_completed"));
  EXPECT_EQ(story.said<EventPublished>()->topic, "file.made");
  EXPECT_EQ(story.output("p"), R"({"id":"2","type":"file.made","source":"/v1/runs/)" + story.run.id().text() +
                                   R"(","time":"2023-11-14T22:13:20.000Z","data":[1]})");
}

TEST(DecidePublish, EachItemsEventHasItsOwnId) {
  StepSpec mapped;
  mapped.for_each = "${{ ['a', 'b'] }}";
  mapped.input = "${{ item }}";
  Story story(
      ProjectBuilder().publish_step("p", mapped, "t").output("${{ steps.p.output.map(e, e.id) }}").build());
  EXPECT_EQ(story.output(), R"(["2","3"])");
}

TEST(DecidePublish, TheDataMustBeOfTheTopicsLatestVersion) {
  ProjectBuilder builder;
  builder.topic("t", 1, R"({"type":"integer"})").topic("t", 2, R"({"type":"string"})");
  const auto project = builder.publish_step("p", {.input = "${{ input }}"}, "t").build();
  Story good(project, "\"x\"");
  EXPECT_EQ(good.said<EventPublished>()->version, 2u);
  Story bad(project, "1");
  EXPECT_EQ(bad.error(), "invalid_event");
  EXPECT_EQ(bad.said<EventPublished>(), nullptr);
}

TEST(DecidePublish, AChainOfEventsThatCauseEachOtherEnds) {
  const auto project = ProjectBuilder().publish_step("p", {}, "t").build();
  Story last(project, "{}", {.cause = EventCause{9, kMaxHops}});
  EXPECT_EQ(last.error(), "hop_limit");
  Story before(project, "{}", {.cause = EventCause{9, kMaxHops - 1}});
  EXPECT_EQ(before.status(), "completed");
}

// --- set
// -------------------------------------------------------------------------------------------------------

TEST(DecideSet, ItWritesTheSessionsStateAtOneVersion) {
  Story story(ProjectBuilder()
                  .set_step("s", {},
                            {{"case.a", "${{ state.case.b }}"}, {"case.b", "${{ null }}"}, {"c", "${{ 1 }}"}})
                  .build(),
              "{}", {.session_id = "s1", .state = {{"case.b", "7"}}});
  EXPECT_THAT(story.events(), ElementsAre("run_created", "state_changed s", "state_changed s",
                                          "state_changed s", "step_completed s", "run_completed"));
  EXPECT_EQ(story.state.version, 2u);
  EXPECT_EQ(story.state.entries.at("case.a").value.bytes(), "7");
  EXPECT_FALSE(story.state.entries.contains("case.b"));
}

TEST(DecideSet, ItNeedsASession) {
  Story story(ProjectBuilder().set_step("s", {}, "a").build());
  EXPECT_EQ(story.error(), "no_session");
}

TEST(DecideSet, ScratchKeysExpire) {
  Story story(ProjectBuilder()
                  .set_step("s", {}, {{"scratch.a", "1"}, {"scratch.b", "${{ null }}"}, {"a", "1"}})
                  .build(),
              "{}", {.session_id = "s1"});
  EXPECT_EQ(story.state.entries.at("scratch.a").expires_at, story.now + kScratchTtl);
  EXPECT_EQ(story.state.entries.at("a").expires_at, std::nullopt);
}

TEST(DecideSet, WhatFollowsInAnotherDecisionSeesIt) {
  Story story(ProjectBuilder()
                  .set_step("s", {.input = "${{ 1 }}"}, "a")
                  .sleep_step("z", {.needs = {"s"}}, "1s")
                  .transform_step("t", {.needs = {"z"}}, "${{ state.a + 1 }}")
                  .build(),
              "{}", {.session_id = "s1"});
  story.pass(Duration(1000));
  EXPECT_EQ(story.output("t"), "2");
}

// --- results
// -------------------------------------------------------------------------------------------------------

AgentDefinition writer() {
  AgentDefinition agent = agent_named("writer");
  agent.publishes = {"case.*"};
  agent.state = {.read = {"case.*"}, .write = {"case.*", "scratch.*"}};
  return agent;
}

std::shared_ptr<const Project> writers_project() {
  ProjectBuilder builder;
  builder.topic("case.strict", 1, R"({"type":"integer"})").reads_state();
  return builder.add_agent(writer())
      .agent_step("a", {.retry = RetryPolicy{.max_attempts = 3}}, "writer")
      .agent_step("b", {})
      .build();
}

TEST(DecideResult, ItPublishesAndWritesWhenItCounts) {
  Story story(writers_project(), "{}", {.session_id = "s1"});
  TaskSuccess success{Payload("1")};
  success.events.push_back({.topic = "case.closed", .data = Payload("[2]")});
  success.state.push_back({"case.a", Payload("3"), std::nullopt});
  success.state.push_back({"scratch.b", Payload("4"), std::nullopt});
  EXPECT_EQ(story.report("a", 0, success), Verdict::accepted);
  EXPECT_THAT(story.events(),
              ElementsAre("event_published a", "state_changed a", "state_changed a", "task_succeeded a"));
  EXPECT_EQ(story.state.entries.at("scratch.b").expires_at, story.now + kScratchTtl);
  // A second time it counts for nothing.
  EXPECT_EQ(story.report("a", 0, success), Verdict::stale_attempt);
  EXPECT_TRUE(story.last.events.empty());
}

TEST(DecideResult, WhatTheAgentMayNotDoIsInvalidAndNotTriedAgain) {
  const auto code = [](const TaskSuccess& success, const std::optional<std::string>& session = "s1") {
    Story story(writers_project(), "{}", {.session_id = session});
    EXPECT_EQ(story.report("a", 0, success), Verdict::invalid);
    EXPECT_THAT(story.events(), ElementsAre("task_failed a", "step_failed a", "run_failed a"));
    return story.error();
  };
  const auto publishing = [](const std::string& topic, std::uint32_t version = 0) {
    TaskSuccess success{Payload("1")};
    success.events.push_back({.topic = topic, .version = version, .data = Payload("\"x\"")});
    return success;
  };
  const auto writing = [](const std::string& key) {
    TaskSuccess success{Payload("1")};
    success.state.push_back({key, Payload("1"), std::nullopt});
    return success;
  };
  EXPECT_EQ(code(publishing("other.topic")), "not_permitted");
  EXPECT_EQ(code(publishing("case..x")), "invalid_output");
  EXPECT_EQ(code(publishing("case.strict")), "invalid_event");
  EXPECT_EQ(code(publishing("case.closed", 3)), "invalid_event");
  EXPECT_EQ(code(writing("other")), "not_permitted");
  EXPECT_EQ(code(writing("case.")), "invalid_output");
  EXPECT_EQ(code(writing("case.a"), std::nullopt), "no_session");
  TaskSuccess many{Payload("1")};
  many.events.resize(kMaxPublished + 1, {.topic = "case.closed", .data = Payload("1")});
  EXPECT_EQ(code(many), "invalid_output");
}

TEST(DecideResult, AnIterationOfALoopPublishesToo) {
  Story story(ProjectBuilder()
                  .add_agent(writer())
                  .agent_step("a", {.until = "steps.a.output == 2", .max_iterations = 2}, "writer")
                  .build());
  TaskSuccess success{Payload("1")};
  success.events.push_back({.topic = "case.closed", .data = Payload("1")});
  story.report("a", 0, success);
  EXPECT_THAT(story.events(), ElementsAre("event_published a", "task_succeeded a", "task_scheduled a"));
}

// --- what inputs may see of the state
// -------------------------------------------------------------------------------------------------------

TEST(DecideState, AnAgentsInputSeesOnlyWhatItMayRead) {
  ProjectBuilder builder;
  builder.add_agent(writer()).add_agents({"blind"}).reads_state();
  builder.agent_step("a", {.input = "${{ state }}"}, "writer")
      .agent_step("b", {.input = "${{ state }}"}, "blind");
  builder.transform_step("t", {}, "${{ state }}");
  Story story(builder.build(), "{}", {.session_id = "s", .state = {{"case.x", "1"}, {"secret", "2"}}});
  EXPECT_EQ(story.input("a"), R"({"case":{"x":1}})");
  EXPECT_EQ(story.input("b"), "{}");
  EXPECT_EQ(story.output("t"), R"({"case":{"x":1},"secret":2})");
  EXPECT_EQ(story.run.find_task(StepIndex(0), ItemIndex(0))->state_version, 1u);
}

TEST(DecideState, AnInputShowsWhatEverybodyMayReadWhoMayComeToSeeIt) {
  ProjectBuilder builder;
  builder.add_agent(writer()).add_agents({"blind"}).reads_state();
  builder.agent_step("a", {.input = "${{ state }}", .fallback = {"blind"}}, "writer");
  builder.agent_step("b", {.input = "${{ state }}", .choice = "writer"}, "writer");
  Story story(builder.build(), "{}", {.session_id = "s", .state = {{"case.x", "1"}, {"secret", "2"}}});
  EXPECT_EQ(story.input("a"), "{}");
  EXPECT_EQ(story.input("b"), R"({"case":{"x":1}})");
}

TEST(DecideState, ADottedKeyIsFoundHoweverItIsAskedFor) {
  ProjectBuilder builder;
  builder.reads_state().transform_step(
      "t", {},
      "${{ [state.a.b, state.a, state['a'].b, has(state.a.z), has(state.z), state.deep.er.key, state] }}");
  Story story(builder.build(), "{}",
              {.session_id = "s", .state = {{"a.b", "1"}, {"a-c", "2"}, {"deep.er.key", "3"}}});
  EXPECT_EQ(story.output("t"),
            R"([1,{"b":1},1,false,false,3,{"a-c":2,"a":{"b":1},"deep":{"er":{"key":3}}}])");
}

TEST(DecideState, KeysThatAreNeighboursOfOneAndTheSameWordMakeOneMember) {
  ProjectBuilder builder;
  builder.reads_state().transform_step("t", {}, "${{ size(state) }}");
  // In their order: a-b stands between a and a.c.
  Story story(builder.build(), "{}", {.session_id = "s", .state = {{"a", "1"}, {"a-b", "2"}, {"a.c", "3"}}});
  EXPECT_EQ(story.output("t"), "2");
}

TEST(DecideState, WithoutASessionItIsEmpty) {
  ProjectBuilder builder;
  builder.reads_state().transform_step("t", {}, "${{ [state, session.id] }}");
  EXPECT_EQ(Story(builder.build()).output("t"), "[{},null]");
}

TEST(DecideState, AnEventIsInSightWhereItIsJudgedAndNowhereElse) {
  Story story(ProjectBuilder()
                  .wait_step("w", {}, "t", "event.data == 1")
                  .transform_step("after", {.needs = {"w"}}, "${{ event.data }}")
                  .build());
  story.event("t", "1");
  EXPECT_EQ(story.error(), "unknown_name");
}

}  // namespace
}  // namespace ganglion

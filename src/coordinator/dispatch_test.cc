// What a task says about itself when it is handed to the agents, how open runs are shared out and counted,
// and what a commit refers to.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"
#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using ::testing::IsEmpty;
using testing::ProjectBuilder;
using ::testing::SizeIs;
using testing::World;

std::optional<testing::Outcome> nobody(const Task&) {
  return std::nullopt;
}

TEST(Dispatch, TasksAreSharedOutByTenantElseByWorkflow) {
  World world(ProjectBuilder().agent_step("a", {}).build());
  world.start({.labels = {{"tenant", "t"}}});
  EXPECT_EQ(world.take("a").fairness_key, "tenant t");
  world.start();
  EXPECT_EQ(world.take("a").fairness_key, "w");
}

TEST(Dispatch, AStepsPriorityGoesBeforeTheRuns) {
  auto project = assembled(ProjectBuilder().agent_step("a", {}).agent_step("b", {}).build());
  project->workflows.at("w").steps[1].priority = -3;
  World world(project);
  world.start({.priority = 5});
  EXPECT_EQ(world.take("a").priority, 5);
  EXPECT_EQ(world.take("b").priority, -3);
}

TEST(Dispatch, AnIterationHasItsNumberAndItsOwnKeyForSideEffects) {
  World world(
      ProjectBuilder().agent_step("a", {.until = "steps.a.output == 1", .max_iterations = 3}).build());
  world.start();
  const Task first = world.take("a");
  EXPECT_EQ(first.iteration, 1u);
  world.report(first.token, TaskSuccess{Payload("0")});
  const Task second = world.take("a");
  EXPECT_EQ(second.iteration, 2u);
  EXPECT_NE(second.idempotency_key(), first.idempotency_key());
  world.restart();
  EXPECT_EQ(world.take("a").iteration, 2u);
}

TEST(Dispatch, ATaskKnowsWhetherAnotherFollowsIfItFails) {
  World world(
      ProjectBuilder().add_agents({"other"}).agent_step("a", {.fallback = {"other", "cache"}}).build());
  world.start();
  const Task first = world.take("a");
  EXPECT_EQ(first.agent, "worker");
  EXPECT_TRUE(first.fallback_follows);
  world.report(first.token, TaskFailure{"boom", "", false});
  const Task second = world.take("a");
  EXPECT_EQ(second.agent, "other");
  EXPECT_TRUE(second.fallback_follows) << "the cache";

  World last(ProjectBuilder().add_agents({"other"}).agent_step("a", {.fallback = {"other"}}).build());
  last.start();
  last.report(last.take("a").token, TaskFailure{"boom", "", false});
  EXPECT_FALSE(last.take("a").fallback_follows);
}

TEST(Dispatch, ATaskKnowsTheVersionOfTheStateThatItsInputWasMadeFrom) {
  auto project = assembled(ProjectBuilder()
                               .set_step("s", {.input = "1"}, "x")
                               .agent_step("a", {.needs = {"s"}, .input = "${{ state.x }}"})
                               .agent_step("b", {.needs = {"a"}})
                               .build());
  project->agents.at("worker").state.read = {"x"};
  World world(project);
  world.start({.session = "s"});
  const Task a = world.take("a");
  world.report(a.token, TaskSuccess{Payload("1")});
  const Task b = world.take("b");
  EXPECT_EQ(b.state_version, 1u) << "the write was durable before";
  world.restart();
  EXPECT_EQ(world.take("b").state_version, 1u);
  World without(ProjectBuilder().agent_step("a", {}).build());
  without.start({.session = "s"});
  EXPECT_FALSE(without.take("a").state_version);
}

// --- shares
// ----------------------------------------------------------------------------------------------------------------

Result<StartedRun> try_to_start(World& world, std::map<std::string, std::string> labels = {}) {
  Result<StartedRun> started = ganglion::fail("unanswered", "");
  world.process->coordinator.start_run({.workflow = "w",
                                        .input = Payload("{}"),
                                        .session_id = {},
                                        .labels = std::move(labels),
                                        .traceparent = {},
                                        .claim = {}},
                                       [&](Result<StartedRun> result) { started = std::move(result); });
  world.clock.run();
  return started;
}

TEST(Shares, OneTenantCantHoldAllOpenRuns) {
  World world(ProjectBuilder().agent_step("a", {}).build(), {.max_open_runs = 5, .max_share = 0.6});
  std::vector<RunId> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(try_to_start(world, {{"tenant", "t"}})->id);
  EXPECT_EQ(try_to_start(world, {{"tenant", "t"}}).error().code, "too_many_runs");
  EXPECT_TRUE(try_to_start(world, {{"tenant", "u"}}));
  EXPECT_TRUE(try_to_start(world)) << "the workflow is a tenant of its own";
  EXPECT_EQ(try_to_start(world).error().code, "overloaded");
  world.restart();
  EXPECT_EQ(try_to_start(world).error().code, "overloaded");
  ASSERT_TRUE(world.submit(runs[0], Cancel{"no"}));
  EXPECT_TRUE(try_to_start(world, {{"tenant", "t"}}));
  ASSERT_TRUE(world.submit(runs[0], Retry{})) << "what is there already may go on";
  EXPECT_EQ(world.process->coordinator.open_runs(), 6u);
  world.verify();
}

TEST(Shares, WhatCouldNotBeStartedIsNotCounted) {
  World world(ProjectBuilder().agent_step("a", {}).build(), {.max_open_runs = 1});
  world.process->store.unavailable = true;
  EXPECT_EQ(try_to_start(world).error().code, "unavailable");
  EXPECT_EQ(try_to_start(world).error().code, "unavailable");
  world.process->store.unavailable = false;
  EXPECT_TRUE(try_to_start(world));
  world.verify();
}

TEST(OpenRunsByDefinition, AreThoseThatHaveNotEnded) {
  World world(ProjectBuilder().agent_step("a", {}).build());
  const RunId old = world.start();
  world.activate(assembled(ProjectBuilder().agent_step("a", {}).build(), {}, "2"));
  world.start();
  world.start();
  const auto counts = [&] {
    std::map<std::string, std::size_t> counts;
    for (const OpenRuns& open : world.process->coordinator.open_runs_by_definition())
      counts[open.definition + " " + open.workflow] = open.runs;
    return counts;
  };
  const std::map<std::string, std::size_t> both = {{"d0 w", 1}, {"d2 w", 2}};
  EXPECT_EQ(counts(), both);
  world.restart();
  EXPECT_EQ(counts(), both);
  ASSERT_TRUE(world.submit(old, Cancel{"no"}));
  EXPECT_EQ(counts(), (std::map<std::string, std::size_t>{{"d2 w", 2}}));
  world.verify();
}

// --- blobs
// -----------------------------------------------------------------------------------------------------------------

TEST(Blobs, ThatJournalsReferToAreKept) {
  World world(ProjectBuilder().agent_step("a", {}).build(), {},
              {.sweep_every = Duration(1000), .blob_grace = Duration(1000)});
  const auto put = [&](const std::string& content) {
    world.store.put_blob(sha256_hex(content), content, world.clock.now(), [](Result<void>) {});
    return R"({"$ref":"sha256:)" + sha256_hex(content) + R"("})";
  };
  const auto kept = [&](const std::string& content) {
    bool found = false;
    world.store.get_blob(sha256_hex(content), [&](Result<std::string> blob) { found = blob.has_value(); });
    world.clock.run();
    return found;
  };
  world.worker = nobody;
  world.start({.input = R"({"x":)" + put("input") + "}"});
  const std::string output = put("output");
  put("unused");
  world.report(world.take("a").token, TaskSuccess{Payload(output)});
  world.pass(Duration(10'000));
  EXPECT_TRUE(kept("input"));
  EXPECT_TRUE(kept("output"));
  EXPECT_FALSE(kept("unused"));
}

}  // namespace
}  // namespace ganglion

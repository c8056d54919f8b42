// What events set off: each trigger's run once, each wait in the order of the log, whatever happens to the
// store and to the process meanwhile.

#include "coordinator/event_router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

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
using testing::with_every_fault;
using testing::World;

Trigger on_event(const std::string& pattern, const std::string& workflow, const std::string& where = "",
                 const std::string& input = "${{ event.data }}") {
  EventTrigger source{pattern, std::nullopt};
  if (!where.empty()) source.where = expr::Program::compile(where).value();
  return {std::move(source), workflow, expr::Template::text(input).value()};
}

std::shared_ptr<const Project> with_triggers(const std::shared_ptr<const Project>& base,
                                             std::vector<Trigger> triggers,
                                             const std::string& version = "1") {
  auto project = assembled(base, {}, version);
  project->triggers = std::move(triggers);
  return project;
}

auto world_of(std::shared_ptr<const Project> project, CoordinatorOptions options = {}) {
  return [project, options] { return std::make_unique<World>(project, options); };
}

std::vector<std::string> outputs_of(World& world) {
  std::vector<std::string> outputs;
  for (const RunRecord& record : world.runs()) {
    const auto run = world.folded(record.id);
    const auto* done = std::get_if<RunDone>(&run->state());
    outputs.push_back(done ? std::string(done->output.bytes()) : record.status);
  }
  std::ranges::sort(outputs);
  return outputs;
}

std::shared_ptr<const Project> echo() {
  return ProjectBuilder().transform_step("t", {}, "${{ input }}").output("${{ steps.t.output }}").build();
}

TEST(Triggers, StartARunForEachEventThatTheyWant) {
  const auto project =
      with_triggers(echo(), {on_event("order.*", "w", "event.data > 1"), on_event("order.paid", "w")});
  with_every_fault(world_of(project), [](World& world) {
    world.publish("order.new", "1");
    world.publish("order.new", "2");
    world.publish("order.paid", "3");
    world.publish("else", "4");
    world.work();
    EXPECT_THAT(outputs_of(world), ElementsAre("2", "3", "3"));
    EXPECT_THAT(world.log(), SizeIs(4));
  });
}

TEST(Triggers, KnowWhichEventItWas) {
  World world(with_triggers(ProjectBuilder().publish_step("p", {.input = "1"}, "b.x").build(),
                            {on_event("a.x", "w")}));
  world.publish("a.x");
  world.work();
  const auto log = world.log();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[1].cause, 1u);
  EXPECT_EQ(log[1].hops, 1u);
  EXPECT_EQ(log[1].run, world.runs().at(0).id);
  EXPECT_EQ(log[1].step, "p");
  world.verify();
}

TEST(Triggers, ThatCauseEachOtherEndAtTheBound) {
  World world(with_triggers(ProjectBuilder().publish_step("p", {.input = "1"}, "a.x").build(),
                            {on_event("a.x", "w")}));
  world.publish("a.x");
  world.work();
  EXPECT_THAT(world.log(), SizeIs(kMaxHops + 1));
  EXPECT_EQ(world.log().back().hops, kMaxHops);
  EXPECT_EQ(world.runs().front().status, "failed");
  world.verify();
}

TEST(Triggers, WhoseInputIsNotWhatTheWorkflowTakesAreBuried) {
  auto project = assembled(echo());
  project->workflows.at("w").input =
      schema::Schema::compile(boost::json::parse(R"({"type":"integer"})")).value();
  project->triggers = {on_event("a.x", "w")};
  with_every_fault(world_of(project), [](World& world) {
    world.publish("a.x", R"("no number")");
    world.publish("a.x", "5");
    world.work();
    EXPECT_THAT(outputs_of(world), ElementsAre("5"));
    const auto letters = world.records(RecordKind::dead_letter);
    ASSERT_THAT(letters, SizeIs(1)) << "and only once";
    EXPECT_THAT(letters[0].data, HasSubstr(R"("code":"invalid_input")"));
  });
}

TEST(Triggers, WaitWhileTheEngineIsFull) {
  World world(with_triggers(ProjectBuilder().agent_step("a", {}).build(), {on_event("a.x", "w")}),
              {.max_open_runs = 2, .max_share = 1});
  world.worker = [](const Task&) -> std::optional<testing::Outcome> { return std::nullopt; };
  for (int i = 0; i < 5; ++i) world.publish("a.x");
  world.work();
  EXPECT_LE(world.process->coordinator.open_runs(), 2u);
  world.restart();
  world.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  world.work();
  EXPECT_THAT(world.runs(), SizeIs(5));
  EXPECT_THAT(outputs_of(world), Each(R"({"a":1})"));
  world.verify();
}

TEST(Triggers, KeepTheirEventsWhereANewProjectHasOthersBeside) {
  const auto before = with_triggers(echo(), {on_event("a.x", "w")});
  World world(before);
  world.publish("a.x", "1");
  // The run has started and the position of the log is not written.
  world.settle();
  ASSERT_THAT(world.runs(), SizeIs(1));
  world.store.put_setting("event_position", "0", [](Result<void>) {});
  world.activate(with_triggers(echo(), {on_event("b.x", "w"), on_event("a.x", "w")}, "2"));
  world.restart();
  world.work();
  EXPECT_THAT(world.runs(), SizeIs(1)) << "the event had set this trigger off";
  world.verify();
}

TEST(Subscriptions, StartTheAgentsReaction) {
  auto reaction = ProjectBuilder().agent_step("helper", {}, "helper").build();
  auto project = assembled(echo(), {{reaction_name("helper"), reaction}});
  project->agents.at("helper").subscribes = {"a.*"};
  with_every_fault(world_of(project), [](World& world) {
    world.publish("a.x", "7");
    world.publish("b.x", "8");
    world.work();
    ASSERT_THAT(world.runs(), SizeIs(1));
    EXPECT_EQ(world.runs()[0].status, "completed");
    EXPECT_THAT(world.json(world.runs()[0].id), HasSubstr(R"("type":"a.x")"));
  });
}

TEST(Triggers, SurviveAPageOfManyEvents) {
  World world(with_triggers(echo(), {on_event("a.x", "w")}));
  world.process->store.holding = true;
  std::vector<TopicEvent> events;
  for (int i = 0; i < 250; ++i) {
    events.push_back({.id = std::to_string(i),
                      .source = "c",
                      .topic = "a.x",
                      .time = world.clock.now(),
                      .data = Payload(std::to_string(i))});
  }
  world.process->events.append(events, [](Result<std::vector<Appended>>) {});
  for (int i = 0; i < 120; ++i) {
    world.process->store.release_one();
    world.clock.run();
  }
  world.restart();  // in the middle of a page
  world.work();
  EXPECT_THAT(world.runs(), SizeIs(250));
  world.verify();
}

// --- waits
// -------------------------------------------------------------------------------------------------------------

// Collects three events in a loop.
std::shared_ptr<const Project> collecting() {
  return ProjectBuilder()
      .wait_step("wait", {.until = "steps.wait.output.data == 3", .max_iterations = 100}, "t.x")
      .output("${{ steps.wait.output.data }}")
      .build();
}

std::vector<std::string> delivered(World& world, const RunId& run) {
  std::vector<std::string> data;
  for (const JournalEntry& entry : world.journal(run)) {
    if (entry.type != "task_succeeded") continue;
    const auto output = boost::json::parse(entry.data).at("output");
    data.push_back(boost::json::serialize(output.at("data")));
  }
  return data;
}

TEST(EventWaits, GetEachEventOnceAndInOrder) {
  with_every_fault(world_of(collecting()), [](World& world) {
    const RunId run = world.start();
    world.publish("t.x", "1");
    world.publish("t.y", "0");
    world.publish("t.x", "2");
    world.publish("t.x", "3");
    world.work();
    EXPECT_THAT(delivered(world, run), ElementsAre("1", "2", "3"));
    EXPECT_EQ(world.status(run), "completed");
  });
}

TEST(EventWaits, GetEachEventInOrderWhereAllComeAtOnce) {
  with_every_fault(world_of(collecting()), [](World& world) {
    const RunId run = world.start();
    std::vector<TopicEvent> events;
    for (int i = 1; i <= 3; ++i) {
      events.push_back({.id = std::to_string(i),
                        .source = "c",
                        .topic = "t.x",
                        .time = world.clock.now(),
                        .data = Payload(std::to_string(i))});
    }
    for (const TopicEvent& event : events)
      world.process->events.append({event}, [](Result<std::vector<Appended>>) {});
    // A client tries again what it was not told of.
    for (const TopicEvent& event : events) {
      world.settle();
      world.pass(Duration(20));
      bool told = false;
      for (int tries = 0; tries < 40 && !told; ++tries) {
        world.process->events.append(
            {event}, [&told](Result<std::vector<Appended>> done) { told = done.has_value(); });
        world.settle();
        if (!told) world.pass(Duration(50));
      }
    }
    world.work();
    std::vector<std::string> logged;
    for (const TopicEvent& event : world.log()) logged.emplace_back(event.data.bytes());
    // In the order of the log, up to the one that ends the loop.
    const auto last = std::ranges::find(logged, "3");
    EXPECT_EQ(delivered(world, run), std::vector<std::string>(logged.begin(), last + 1));
  });
}

TEST(EventWaits, BeginWhileEventsArePublished) {
  // Three actions, any number of the store's answers between them.
  for (int first = 0; first < 10; ++first) {
    for (int second = 0; second < 10; ++second) {
      SCOPED_TRACE(std::to_string(first) + ", " + std::to_string(second));
      World world(collecting());
      world.process->store.holding = true;
      const auto release = [&](int answers) {
        for (int i = 0; i < answers; ++i) {
          world.process->store.release_one();
          world.clock.run();
        }
      };
      const auto publish = [&](int data) {
        world.process->events.append({{.id = std::to_string(data),
                                       .source = "c",
                                       .topic = "t.x",
                                       .time = world.clock.now(),
                                       .data = Payload(std::to_string(data))}},
                                     [](Result<std::vector<Appended>>) {});
      };
      publish(1);
      release(first);
      RunId run;
      world.process->coordinator.start_run({.workflow = "w",
                                            .input = Payload("{}"),
                                            .session_id = {},
                                            .labels = {},
                                            .traceparent = {},
                                            .claim = {}},
                                           [&](Result<StartedRun> started) { run = started->id; });
      publish(2);
      release(second);
      publish(3);
      world.process->store.release();
      world.work();
      // The first came before the wait began where the engine knew of it.
      const auto seen = delivered(world, run);
      ASSERT_GE(seen.size(), 2u);
      EXPECT_EQ(std::vector(seen.end() - 2, seen.end()), (std::vector<std::string>{"2", "3"}));
      EXPECT_EQ(world.status(run), "completed");
      world.verify();
    }
  }
}

TEST(EventWaits, KeepTheOrderWhereTheStoreComesAndGoes) {
  // Each of the calls is refused, whatever it is, with more events under way.
  for (int at = 1; at < 40; ++at) {
    SCOPED_TRACE(at);
    World world(collecting());
    const RunId run = world.start();
    world.faults = {Fault::outage, at % 20 + 1};
    if (at >= 20) world.faults = {Fault::unavailable_call, at - 19};
    for (int data = 0; data < 12; ++data) {
      const std::string text = data == 11 ? "3" : std::to_string(data + 10);
      bool told = false;
      for (int tries = 0; tries < 60 && !told; ++tries) {
        world.process->events.append(
            {{.id = text, .source = "c", .topic = "t.x", .time = world.clock.now(), .data = Payload(text)}},
            [&told](Result<std::vector<Appended>> done) { told = done.has_value(); });
        world.clock.advance(Duration(15));
      }
    }
    world.work();
    EXPECT_THAT(delivered(world, run), SizeIs(12));
    EXPECT_EQ(world.status(run), "completed");
    world.verify();
  }
}

TEST(EventWaits, TakeWhatTheirWhereWants) {
  auto project = ProjectBuilder().wait_step("wait", {}, "t.**", "event.data.n == 2").build();
  with_every_fault(world_of(project), [](World& world) {
    const RunId run = world.start();
    world.publish("t.a", R"({"n":1})");
    world.publish("t.b.c", R"({"n":2})");
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.json(run), HasSubstr("t.b.c"));
  });
}

TEST(EventWaits, ARunMayWaitForWhatAnotherPublishes) {
  auto waiting = ProjectBuilder().wait_step("wait", {}, "t.x").build();
  auto publishing = ProjectBuilder().publish_step("p", {.input = "5"}, "t.x").build();
  with_every_fault(world_of(assembled(waiting, {{"pub", publishing}})), [](World& world) {
    const RunId run = world.start();
    world.start({.workflow = "pub"});
    world.work();
    EXPECT_EQ(world.status(run), "completed");
    EXPECT_THAT(world.log(), SizeIs(1));
  });
}

}  // namespace
}  // namespace ganglion

// Everything at once: random projects' inputs, random faults, random moments; at the end what must be so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include <boost/json.hpp>

#include "coordinator/coordinator_fixture.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::assembled;
using testing::Fault;
using testing::ProjectBuilder;
using testing::World;

// A project in which there is some of everything.
std::shared_ptr<const Project> everything() {
  const RetryPolicy twice{.max_attempts = 2,
                          .backoff = Backoff::constant,
                          .initial = Duration(100),
                          .max = Duration(100),
                          .jitter = 0};
  auto inner = ProjectBuilder()
                   .agent_step("i", {.retry = twice})
                   .publish_step("told", {.needs = {"i"}, .input = "${{ steps.i.output }}"}, "inner.done")
                   .build();
  auto reacting = ProjectBuilder().agent_step("r", {.on_failure = OnFailure::continue_run}).build();
  auto outer =
      ProjectBuilder()
          .human("ann")
          .agent_step("a", {.retry = twice, .fallback = {"other", "cache"}})
          .sub_run_step("sub", {.needs = {"a"}, .retry = twice, .on_failure = OnFailure::continue_run},
                        "inner")
          .sub_run_step("subs",
                        {.for_each = "${{ [1, 2, 3] }}",
                         .max_parallel = 2,
                         .on_failure = OnFailure::continue_run,
                         .input = "${{ item }}"},
                        "inner")
          .approve_step("ok",
                        {.needs = {"a"}, .timeout = Duration(20'000), .on_failure = OnFailure::continue_run})
          .wait_step("wait", {.timeout = Duration(20'000), .on_failure = OnFailure::continue_run}, "inner.*")
          .agent_step("loop", {.until = "steps.loop.output == 1", .max_iterations = 5})
          .agent_step("cached", {.needs = {"loop"}, .cache = Duration(2'000)})
          .sleep_step("nap", {.needs = {"sub"}}, "1s")
          .set_step("set", {.needs = {"nap"}, .input = "${{ has(state.n) ? state.n + 1 : 1 }}"}, "n")
          .agent_step("last", {.needs = {"set", "ok"}, .on_failure = OnFailure::pause_run}, "other")
          .build();
  auto project = assembled(outer, {{"inner", inner}, {"reacting", reacting}});
  project->triggers = {
      {EventTrigger{"inner.*", std::nullopt}, "reacting", expr::Template::text("${{ event }}").value()},
      {CronTrigger{"* * * * *", "UTC", MissedSlots::latest}, "reacting", expr::Template()}};
  return project;
}

class Weather {
 public:
  Weather(World& world, unsigned seed) : world_(world), random_(seed) {
    world.worker = [this](const Task&) { return outcome(); };
  }

  void storm(int steps) {
    for (int i = 0; i < steps; ++i) {
      if (chance(3)) world_.faults = {static_cast<Fault>(1 + below(5)), 1 + below(6)};
      act();
      world_.settle();
      answer_some();
      world_.pass(Duration(below(700)));
    }
    world_.faults = {};
  }

  // Everybody answers, and nothing is broken any more.
  void calm() {
    world_.worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
    for (int round = 0; round < 12; ++round) {
      world_.work();
      for (std::size_t open = world_.records(RecordKind::approval).size(); open > 0; --open) {
        if (!world_.records(RecordKind::approval).empty()) world_.answer_first(true);
      }
      for (const RunRecord& record : world_.runs()) {
        if (!record.ended_at && world_.status(record.id) == "paused") world_.submit(record.id, Resume{});
      }
      world_.pass(Duration(3'000));
    }
  }

 private:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  bool chance(int of) { return below(of) == 0; }

  std::optional<testing::Outcome> outcome() {
    if (chance(4)) return std::nullopt;
    if (chance(4)) return TaskFailure{"boom", "it broke", chance(2)};
    return TaskSuccess{.output = Payload(std::to_string(below(2))), .usage = Payload(R"({"tokens":2})")};
  }

  RunId any_run() {
    const auto runs = world_.runs();
    if (runs.empty()) return RunId::make(world_.clock.now(), 9, 9);
    return runs[static_cast<std::size_t>(below(static_cast<int>(runs.size())))].id;
  }

  void act() {
    switch (below(10)) {
      case 0:
      case 1:
        world_.start({.input = std::to_string(below(2)), .session = "s" + std::to_string(below(2))});
        break;
      case 2:
        world_.submit(any_run(), Cancel{"no"});
        break;
      case 3:
        world_.submit(any_run(), Pause{});
        break;
      case 4:
        world_.submit(any_run(), Resume{});
        break;
      case 5:
        world_.submit(any_run(), Retry{});
        break;
      case 6:
        world_.publish("inner.other", "5");
        break;
      case 7:
        world_.fork(any_run(), chance(2) ? "loop" : "sub");
        break;
      case 8:
        if (!world_.records(RecordKind::approval).empty()) world_.answer_first(chance(2));
        break;
      case 9:
        // Together, so that they are decided in one commit.
        world_.process->store.holding = true;
        for (int i = 0; i < 4; ++i) {
          const RunId run = any_run();
          const Input inputs[] = {Pause{}, Resume{}, Cancel{"no"}, Retry{}};
          world_.process->coordinator.submit(run, inputs[below(4)], [](Result<void>) {});
        }
        world_.process->store.release();
        break;
    }
  }

  void answer_some() {
    std::vector<std::pair<Task, testing::Outcome>> answers;
    for (const Task& task : std::exchange(world_.process->queue.tasks, {})) {
      if (auto said = world_.worker(task)) {
        answers.emplace_back(task, *std::move(said));
      } else {
        world_.process->queue.tasks.push_back(task);
      }
    }
    for (const auto& [task, said] : answers) world_.report(task.token, said);
  }

  World& world_;
  std::mt19937 random_;
};

TEST(CoordinatorProperty, AfterTheStormEverythingIsAsTheJournalsSay) {
  const auto project = everything();
  const auto begin = std::chrono::steady_clock::now();
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(project);
    Weather weather(world, seed);
    weather.storm(25);
    weather.calm();
    world.verify();
    std::map<std::uint64_t, int> reactions;
    for (const RunRecord& record : world.runs()) {
      EXPECT_TRUE(record.ended_at.has_value())
          << record.workflow << " " << record.id.text() << " waits for nobody";
      const auto run = world.folded(record.id);
      if (record.workflow == "reacting" && run->created().origin->cause && !run->forked())
        ++reactions[run->created().origin->cause->seq];
    }
    const auto log = world.log();
    EXPECT_EQ(reactions.size(), log.size()) << "each event sets its trigger off";
    for (const auto& [seq, times] : reactions) EXPECT_EQ(times, 1) << "event " << seq;
    if (::testing::Test::HasFailure()) return;
    if (std::chrono::steady_clock::now() - begin > std::chrono::seconds(5)) break;
  }
}

}  // namespace
}  // namespace ganglion

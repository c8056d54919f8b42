// A run that goes on from another's journal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"
#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

const RunId kFork = RunId::make(Timestamp(1'700'000'100'000), 3, 4);

// The run that shares the first `seq` entries.
std::unique_ptr<Run> fork_of(const Story& story, const std::shared_ptr<const Project>& project,
                             std::uint64_t seq, std::optional<Payload> input = {}) {
  auto run = fold(kFork, project, std::span(story.journal).first(seq)).value();
  decide(*run, Fork{{.from = story.run.id(), .seq = seq, .step = "a", .input = std::move(input)}}, story.now);
  return run;
}

// Everybody answers.
void finish(Run& run, Timestamp now) {
  for (int i = 0; i < 200 && !run.ended(); ++i) {
    now = now + Duration(1000);
    decide(run, Wake{}, now);
    if (std::holds_alternative<RunOnHold>(run.state())) decide(run, Resume{}, now);
    const auto open = run.open_attempts();
    if (open.empty()) continue;
    const TaskRecord& task = *run.find_task(open[0].step, open[0].item);
    const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
    const auto* person = awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
    if (person != nullptr) decide(run, Answer{open[0], true, "ann", "", person->digest}, now);
    TaskReport report{open[0], TaskSuccess{Payload("9")}, "w", now};
    report.by_engine = testing::is_performed_by_engine(run, open[0]);
    if (awaiting == nullptr) decide(run, report, now);
    decide(run, Signal{"f" + std::to_string(i), "go", Payload()}, now);
  }
}

TEST(DecideFork, ItSharesWhatIsDoneAndDoesTheRestAgain) {
  const auto project = ProjectBuilder()
                           .agent_step("a", {})
                           .agent_step("b", {.needs = {"a"}, .input = "${{ [input, steps.a.output] }}"})
                           .build();
  Story story(project, "1");
  story.succeed("a", "5");
  story.succeed("b", "6");
  const auto run = fork_of(story, project, 3, Payload("2"));
  EXPECT_EQ(run->find_task(StepIndex(1), ItemIndex(0))->input.bytes(), "[2,5]");
  EXPECT_EQ(run->open_attempts().front().run, kFork);
  finish(*run, story.now);
  EXPECT_EQ(std::get<RunDone>(run->state()).output.bytes(), R"({"b":9})");
  EXPECT_THAT(run_json(*run), ::testing::HasSubstr(R"("forked_from":{"run_id":")" + story.run.id().text()));
}

TEST(DecideFork, ItIsNobodysSubRun) {
  const auto project = ProjectBuilder().agent_step("a", {}).build();
  Story story(project, "{}", {.parent = AttemptToken{kFork, StepIndex(0), ItemIndex(0), Attempt(1)}});
  EXPECT_FALSE(fork_of(story, project, 1)->created().origin->parent);
}

TEST(DecideFork, OfAnEndedRunItOpensWhatHadFailedOrWasCalledOff) {
  const auto project = ProjectBuilder().agent_step("a", {}).agent_step("b", {}).build();
  Story failed(project);
  failed.fail("a");
  const auto run = fork_of(failed, project, failed.journal.size());
  EXPECT_EQ(run->open_attempts().size(), 2u);
  EXPECT_EQ(run->status(), "running");
}

TEST(DecideFork, FromAnyEntryItIsTheFoldAndEnds) {
  const RetryPolicy twice{.max_attempts = 2, .initial = Duration(10), .max = Duration(10), .jitter = 0};
  // What its attempts use is known, so that they go side by side.
  AgentDefinition worker = testing::agent_named("worker");
  worker.budget = Budget{.tokens = 1, .usd = {}};
  const auto project =
      ProjectBuilder()
          .add_agent(std::move(worker))
          .add_agents({"x", "second"})
          .router("r", {{"zzz", "x"}}, "x", "second")
          .workflow("child")
          .agent_step("a", {.for_each = "${{ [1, 2] }}", .retry = twice, .fallback = {"second"}})
          .agent_step("p", {.on_failure = OnFailure::pause_run})
          .agent_step("c", {.on_failure = OnFailure::continue_run})
          .agent_step("routed", {}, "r")
          .sub_run_step("sub", {.needs = {"c"}}, "child")
          .approve_step("ok", {.needs = {"a"}})
          .wait_step("w", {.needs = {"ok"}}, "go")
          .publish_step("pub", {.needs = {"w"}}, "t")
          .set_step("set", {.needs = {"w"}}, "k")
          .sleep_step(
              "s",
              {.needs = {"w"}, .on_failure = OnFailure::continue_run, .until = "false", .max_iterations = 2},
              "1s")
          .budget({.tokens = 1000, .usd = {}})
          .build();
  Story story(project, "{}", {.session_id = "s"});
  story.signal("go", "early");
  story.fail("a", 0);
  story.pass(Duration(10));
  story.fail("a", 0);
  story.succeed("a", "1", 0);
  story.succeed("a", "2", 1);
  story.fail("c");
  story.fail("p");
  story.give(Resume{});
  story.succeed("routed", "\"x\"");
  story.approve("ok");
  story.succeed("sub", "1");
  story.pass(Duration(1000));
  story.pass(Duration(1000));
  story.give(Cancel{"enough"});
  story.give(Retry{});
  story.succeed("p", "1");
  story.succeed("routed", "\"x\"");
  story.succeed("routed", "1");
  ASSERT_EQ(story.status(), "completed");
  for (std::uint64_t seq = 1; seq <= story.journal.size(); ++seq) {
    const auto run = fork_of(story, project, seq);
    // The fork's own entries are folded like any others.
    std::vector<JournalEntry> journal(story.journal.begin(),
                                      story.journal.begin() + static_cast<std::ptrdiff_t>(seq));
    const auto shared = fold(kFork, project, journal).value();
    EXPECT_EQ(shared->version(), seq);
    finish(*run, story.now);
    EXPECT_EQ(run->status(), "completed")
        << "from entry " << seq << ", " << story.journal[seq - 1].type << "\n"
        << run_json(*run);
  }
}

}  // namespace
}  // namespace ganglion

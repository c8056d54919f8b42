// What an engine has recorded is played against another version of the workflow.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/user_scenario/user_scenario_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kOld = R"(
ganglion: 1
agents:
  score: {kind: worker, timeout: 2s, retry: {max_attempts: 3, initial: 100ms}}
  reply: {kind: worker}
workflows:
  ticket:
    steps:
      score: {agent: score, input: {text: "${{ input.text }}"}}
      reply: {agent: reply, input: {score: "${{ steps.score.output.value }}"}}
    output: "${{ steps.reply.output }}"
)";

// Low scores go another way.
constexpr const char* kNew = R"(
ganglion: 1
agents:
  score: {kind: worker, timeout: 2s, retry: {max_attempts: 3, initial: 100ms}}
  reply: {kind: worker}
workflows:
  ticket:
    steps:
      score: {agent: score, input: {text: "${{ input.text }}"}}
      reply:
        if: "${{ steps.score.output.value > 4 }}"
        agent: reply
        input: {score: "${{ steps.score.output.value }}"}
    output: {score: "${{ steps.score.output.value }}", reply: "${{ steps.reply.output }}"}
)";

constexpr const char* kRecorded = R"(
simulation: 1
project: ganglion.yaml
duration: 10m
agents: {score: {recorded: runs.jsonl}, reply: {recorded: runs.jsonl}}
arrivals: [{recorded: runs.jsonl, workflow: ticket}]
)";

std::string journals_of_the_old_one() {
  auto options = options_of(kOld, R"(
simulation: 1
project: ganglion.yaml
duration: 5m
agents:
  score: {latency: 700ms, hang: 0.1, script: [{output: {value: "${{ int(input.text) }}"}}]}
  reply: {latency: 1300ms, script: [{output: {words: "${{ input.score * 10 }}"}}]}
arrivals: [{workflow: ticket, every: 20s, count: 10, input: {text: "${{ string(index) }}"}, labels: {n: "${{ string(index) }}"}}]
)");
  std::string lines;
  options.journals = [&](std::string_view line) { lines += std::string(line) + "\n"; };
  EXPECT_THAT(run(options).violations, IsEmpty());
  return lines;
}

TEST(RecordedScenarioTest, the_same_workflow_does_again_what_it_did) {
  const Files files{{"runs.jsonl", journals_of_the_old_one()}};
  const SeedResult result = run(options_of(kOld, std::string(kRecorded) + R"(
expect:
  - eventually: "${{ run.output.words == int(run.input.text) * 10 && run.labels.n == run.input.text }}"
  - totals: "${{ totals.runs.completed == 10 && totals.latency.p50_ms >= 2000 && totals.failures > 0 }}"
)",
                                           files));
  EXPECT_THAT(result.violations, IsEmpty());
}

TEST(RecordedScenarioTest, a_new_workflow_meets_the_old_answers) {
  const Files files{{"runs.jsonl", journals_of_the_old_one()}};
  const SeedResult result = run(options_of(kNew, std::string(kRecorded) + R"(
expect:
  - eventually: "${{ run.output.score == int(run.input.text) }}"
  - eventually: "${{ (run.output.reply == null) == (run.output.score <= 4) }}"
  - totals: "${{ totals.runs.completed == 10 }}"
)",
                                           files));
  EXPECT_THAT(result.violations, IsEmpty());
}

TEST(RecordedScenarioTest, a_question_that_nobody_asked_is_a_mistake_of_the_recording) {
  const std::string journals = journals_of_the_old_one();
  const std::string first_run = journals.substr(0, journals.find("{\"seq\":1,", 10));
  std::string other = kNew;
  other.replace(other.find("      reply:\n"), 13, "      answer:\n");
  other.replace(other.find("steps.reply"), 11, "steps.answer");
  const SeedResult result = run(options_of(other, R"(
simulation: 1
project: ganglion.yaml
agents: {score: {script: [{output: {value: 99}}]}, reply: {recorded: runs.jsonl}}
arrivals: [{workflow: ticket, at: [0s], input: {text: x}}]
)",
                                           {{"runs.jsonl", first_run}}));
  EXPECT_THAT(result.violations, ElementsAre(HasSubstr("no answer was recorded for step answer of ticket")));
}

}  // namespace
}  // namespace ganglion::sim

// Every way in which a scenario can be wrong, and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::string only(const std::vector<std::string>& errors) {
  return errors.size() == 1 ? errors.front() : std::to_string(errors.size()) + " errors";
}

TEST(ScenarioErrors, come_all_at_once_in_the_order_of_the_file) {
  EXPECT_THAT(
      errors_of("simulation: 2\nagents:\n  scann: {}\n  price: {script: [{output: {cents: 1}}]}\nengines: "
                "17\nexpct: []\n"),
      ElementsAre(
          "s.yaml:1:1: project: the project is missing: write \"project: ganglion.yaml\", a path from "
          "this file",
          "s.yaml:1:1: simulation: expected format 1, the only one there is, got the number 2",
          "s.yaml:3:3: agents.scann: no agent \"scann\" in the project; did you mean \"scan\"?",
          "s.yaml:5:1: engines: expected a whole number from 1 to 16, got the number 17",
          "s.yaml:6:1: expct: unknown key \"expct\"; did you mean \"expect\"?"));
}

TEST(ScenarioErrors, of_a_file_that_is_none) {
  EXPECT_EQ(only(errors_of("")), "s.yaml:1:1: the file is empty; a scenario begins with \"simulation: 1\"");
  EXPECT_EQ(only(errors_of("[1]")), "s.yaml:1:1: expected a mapping, got a list");
  EXPECT_EQ(only(errors_of(std::string(kMaxScenarioBytes + 1, ' '))),
            "s.yaml:1:1: a scenario has at most 4194304 bytes");
}

TEST(ScenarioErrors, of_size) {
  EXPECT_EQ(only(errors_of_part("settle: 31d")), "s.yaml:5:1: settle: longer than 30d");
  EXPECT_EQ(only(errors_of("simulation: 1\nproject: g\nduration: 0s\n" + kPriced)),
            "s.yaml:3:1: duration: must be longer than 0");
}

TEST(ScenarioErrors, of_agents_that_are_not_simulated) {
  EXPECT_EQ(only(errors_of(kBegin + "agents: {legal: {}, price: {script: [{output: {cents: 1}}]}}")),
            "s.yaml:4:10: agents.legal: the agent legal is a person: say under \"people\" what is answered");
  EXPECT_EQ(only(errors_of(kBegin + "agents: {desk: {}, price: {script: [{output: {cents: 1}}]}}")),
            "s.yaml:4:10: agents.desk: the agent desk is a router and routes by itself: simulate its "
            "classifier and "
            "its targets");
}

TEST(ScenarioErrors, of_an_agent_whose_schema_wants_more_than_nothing) {
  const std::string message =
      "the agent price needs a \"script\" or \"recorded\" answers: without, it answers {}, which breaks its "
      "schema (";
  EXPECT_THAT(only(errors_of(kBegin)), StartsWith("s.yaml:1:1: " + message));
  EXPECT_THAT(only(errors_of(kBegin + "agents: {price: {latency: 1s}}")),
              StartsWith("s.yaml:4:10: agents.price: " + message));
}

TEST(ScenarioErrors, of_outputs_that_break_the_schema) {
  EXPECT_THAT(
      only(errors_of(kBegin + "agents: {price: {script: [{output: {cents: much}}]}}")),
      StartsWith("s.yaml:4:37: agents.price.script[0].output.cents: breaks the schema of the agent price: "));
  EXPECT_THAT(errors_of(kBegin + "agents: {price: {script: [{output: {cents: \"${{ input.n }}\"}}]}}"),
              IsEmpty());
}

TEST(ScenarioErrors, of_numbers_and_times) {
  EXPECT_EQ(only(errors_of_agent("{hang: 2}")),
            "s.yaml:4:58: agents.scan.hang: expected a number from 0 to 1, got the number 2");
  EXPECT_EQ(only(errors_of_agent("{latency: {p50: 2s, p99: 1s}}")),
            "s.yaml:4:77: agents.scan.latency.p99: p99 (1s) is shorter than p50 (2s)");
  EXPECT_EQ(only(errors_of_agent("{latency: {p50: 0s, p99: 1s}}")),
            "s.yaml:4:68: agents.scan.latency.p50: must be longer than 0");
  EXPECT_EQ(only(errors_of_agent("{latency: {min: 2s, max: 1s}}")),
            "s.yaml:4:77: agents.scan.latency.max: max (1s) is shorter than min (2s)");
  EXPECT_EQ(only(errors_of_agent("{latency: {p50: 1s}}")),
            "s.yaml:4:58: agents.scan.latency: expected either p50 and p99, or min and max");
  EXPECT_EQ(
      only(errors_of_agent("{latency: 5}")),
      "s.yaml:4:58: agents.scan.latency: expected a duration such as 80ms, {p50: 80ms, p99: 900ms} or {min: "
      "10ms, max: 50ms}, got the number 5");
  EXPECT_EQ(only(errors_of_agent("{usage: {tokens: 1.5}}")),
            "s.yaml:4:66: agents.scan.usage.tokens: expected a whole number, got the number 1.5");
  EXPECT_EQ(
      only(errors_of_agent("{usage: {tokens: -1}}")),
      "s.yaml:4:66: agents.scan.usage.tokens: expected a number from 0 to 1000000000000, got the number -1");
  EXPECT_EQ(only(errors_of_agent("{usage: {tokens: {min: 3, max: 2}}}")),
            "s.yaml:4:83: agents.scan.usage.tokens.max: max is less than min");
  EXPECT_EQ(
      only(errors_of_agent("{effect: no}")),
      "s.yaml:4:58: agents.scan.effect: expected pure, idempotent or irreversible, got the text \"no\"");
  EXPECT_EQ(only(errors_of_agent("{slow: {factor: 2}}")),
            "s.yaml:4:58: agents.scan.slow: needs \"rate\", such as {rate: 0.02, factor: 20}");
  EXPECT_EQ(only(errors_of_agent("{errors: {rate: 1, code: No}}")),
            "s.yaml:4:76: agents.scan.errors.code: no code: codes are at most 64 lower-case letters, digits "
            "and '_', "
            "such as no_route");
}

TEST(ScenarioErrors, of_scripts) {
  EXPECT_EQ(only(errors_of_agent("{script: []}")),
            "s.yaml:4:58: agents.scan.script: a script needs at least one entry");
  EXPECT_EQ(only(errors_of_agent("{script: [{output: 1, hang: true}]}")),
            "s.yaml:4:67: agents.scan.script[0]: needs exactly one of \"output\", \"error\", \"hang\" and "
            "\"garbage\"");
  EXPECT_EQ(only(errors_of_agent("{script: [{hang: false}]}")),
            "s.yaml:4:68: agents.scan.script[0].hang: expected true, got the boolean false");
  EXPECT_EQ(only(errors_of_agent("{script: [{output: 1}, {output: 2}]}")),
            "s.yaml:4:80: agents.scan.script[1]: never reached: the entry before it has no \"when\" and "
            "always answers");
  EXPECT_EQ(
      only(errors_of_agent("{script: [{error: {message: x}}]}")),
      "s.yaml:4:68: agents.scan.script[0].error: needs \"code\", such as {code: no_route, message: no road, "
      "retryable: false}");
  EXPECT_EQ(only(errors_of_agent("{script: [{hang: true, session: {case.x: 1}}]}")),
            "s.yaml:4:80: agents.scan.script[0].session: comes with an \"output\" and nothing else");
  EXPECT_EQ(
      only(errors_of_agent("{script: [{output: 1, session: {draft: 1}}]}")),
      "s.yaml:4:89: agents.scan.script[0].session.draft: the agent scan may not write the key \"draft\": its "
      "state.write in the project doesn't allow it");
  EXPECT_EQ(only(errors_of_agent("{script: [{output: 1, publish: [{topic: file.lost}]}]}")),
            "s.yaml:4:90: agents.scan.script[0].publish[0].topic: the agent scan may not publish "
            "\"file.lost\": its "
            "\"publishes\" in the project doesn't allow it");
  EXPECT_THAT(errors_of_agent("{script: [{output: 1}], recorded: x}", {{"x", ""}}),
              ElementsAre("s.yaml:4:81: agents.scan.recorded: either \"script\" or \"recorded\"",
                          "s.yaml:4:81: agents.scan.recorded: x has no answer of the agent scan"));
}

TEST(ScenarioErrors, of_expressions_stand_where_they_are) {
  EXPECT_EQ(only(errors_of_agent(R"({script: [{output: "${{ inptu.n }}"}]})")),
            "s.yaml:4:81: agents.scan.script[0].output: no name \"inptu\" here; did you mean \"input\"?");
  EXPECT_EQ(
      only(errors_of_agent(R"({script: [{output: "${{ random }}"}]})")),
      "s.yaml:4:81: agents.scan.script[0].output: write random.NAME, a number from 0 to 1 that is the same "
      "wherever the name stands in this entry, such as random.quantity");
  EXPECT_EQ(only(errors_of_agent(R"({key: "${{ state.left }}"})")),
            "s.yaml:4:68: agents.scan.key: no name \"state\" here");
  EXPECT_EQ(only(errors_of_agent(R"({state: "${{ at_ms }}"})")),
            "s.yaml:4:58: agents.scan.state: expressions are not evaluated here");
  EXPECT_EQ(only(errors_of_part(R"(arrivals: [{workflow: order, every: 1s, input: {id: "${{ 1 + }}"}}])"))
                .substr(0, 12),
            "s.yaml:5:61:");
}

TEST(ScenarioErrors, of_arrivals) {
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: ordr, every: 1s}]")),
            "s.yaml:5:13: arrivals[0].workflow: no workflow \"ordr\"; did you mean \"order\"?");
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: other}]")),
            "s.yaml:5:12: arrivals[0]: needs exactly one of \"rate\" (5/s), \"every\" (200ms) and \"at\" "
            "([0s, 10s])");
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: other, rate: fast}]")),
            "s.yaml:5:30: arrivals[0].rate: expected a rate such as 5/s, 60/m or 0.5/h, at most 1000000/s, "
            "got the text "
            "\"fast\"");
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: other, rate: 9000/s}]")),
            "s.yaml:5:30: arrivals[0].rate: comes to more than 1000000 in 10m; set \"count\" or a shorter "
            "\"duration\"");
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: other, at: [10m]}]")),
            "s.yaml:5:35: arrivals[0].at[0]: not before the end of the simulation's duration, 10m");
  EXPECT_EQ(only(errors_of_part("arrivals: [{workflow: other, every: 1s, count: 0}]")),
            "s.yaml:5:41: arrivals[0].count: expected a whole number from 1 to 1000000, got the number 0");
  EXPECT_THAT(only(errors_of_part("arrivals: [{workflow: order, every: 1s}]")),
              StartsWith("s.yaml:5:12: arrivals[0]: breaks the schema of the workflow order: "));
  EXPECT_EQ(only(errors_of_part("arrivals: 7")),
            "s.yaml:5:1: arrivals: expected a list, such as [{workflow: review, rate: 5/s, input: {}}], got "
            "the number "
            "7");
}

TEST(ScenarioErrors, of_lists_that_are_too_long) {
  const auto repeated = [](const std::string& item, std::size_t count) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + item;
    return list + "]";
  };
  EXPECT_THAT(errors_of_part("expect: " + repeated("{totals: true}", kMaxEntries)), IsEmpty());
  EXPECT_EQ(only(errors_of_part("expect: " + repeated("{totals: true}", kMaxEntries + 1))),
            "s.yaml:5:1: expect: 1001 entries; there may be 1000");
  const std::string reply = "{when: true, output: 1}";
  EXPECT_THAT(errors_of_agent("{script: " + repeated(reply, kMaxScript) + "}"), IsEmpty());
  EXPECT_EQ(only(errors_of_agent("{script: " + repeated(reply, kMaxScript + 1) + "}")),
            "s.yaml:4:58: agents.scan.script: 1001 entries; there may be 1000");
}

TEST(ScenarioErrors, of_recordings) {
  EXPECT_EQ(only(errors_of_part("arrivals: [{recorded: r.jsonl}]")),
            "s.yaml:5:13: arrivals[0].recorded: can't read r.jsonl: there is no such file");
  EXPECT_EQ(only(errors_of_part("arrivals: [{recorded: r.jsonl}]", {{"r.jsonl", "\n7\n"}})),
            "s.yaml:5:13: arrivals[0].recorded: r.jsonl:2: expected one JSON object on each line");
  EXPECT_EQ(only(errors_of_part("arrivals: [{recorded: r.jsonl}]", {{"r.jsonl", ""}})),
            "s.yaml:5:13: arrivals[0].recorded: r.jsonl has no run that a client started");
  const std::string gone = R"({"workflow":"gone","created_at":"2026-03-01T09:30:00.000Z","input":1})";
  EXPECT_EQ(only(errors_of_part("arrivals: [{recorded: r.jsonl}]", {{"r.jsonl", gone}})),
            "s.yaml:5:13: arrivals[0].recorded: r.jsonl has runs of the workflow \"gone\", which the project "
            "doesn't "
            "have; choose one with \"workflow\"");
  EXPECT_THAT(errors_of_part("arrivals: [{recorded: r.jsonl, rate: 1/s, input: {}}]", {{"r.jsonl", ""}}),
              SizeIs(3));
  EXPECT_EQ(
      only(errors_of_agent("{recorded: j.jsonl}", {{"j.jsonl", "{}"}})),
      "s.yaml:4:58: agents.scan.recorded: j.jsonl:1: no entry of a journal: it has no \"type\" and \"at\"");
}

TEST(ScenarioErrors, of_events) {
  EXPECT_EQ(only(errors_of_part("events: [{topic: file.uplaoded, every: 1m, data: {name: x}}]")),
            "s.yaml:5:11: events[0].topic: nothing in the project reacts to \"file.uplaoded\"; did you mean "
            "\"file.uploaded\"?");
  EXPECT_THAT(only(errors_of_part("events: [{topic: file.uploaded, every: 1m, data: {nam: x}}]")),
              StartsWith("s.yaml:5:44: events[0].data: breaks the schema of the topic file.uploaded: "));
  EXPECT_THAT(errors_of_part("events: [{topic: pull_request.opened, every: 1m}]"), IsEmpty());
}

TEST(ScenarioErrors, of_people) {
  EXPECT_EQ(only(errors_of_part("people: [{steps: [sign_off]}]")).substr(0, 12), "2 errors");
  EXPECT_EQ(only(errors_of_part("people: [{by: ann, steps: [sign_of]}]")),
            "s.yaml:5:28: people[0].steps[0]: no step \"sign_of\"; did you mean \"sign_off\"?");
  EXPECT_EQ(only(errors_of_part("people: [{by: ann, steps: [price]}]")),
            "s.yaml:5:28: people[0].steps[0]: the step price asks no person");
  EXPECT_EQ(only(errors_of_part("people: [{by: eve, steps: [sign_off]}]")),
            "s.yaml:5:28: people[0].steps[0]: \"eve\" may not decide at sign_off: it asks ann, bob");
}

TEST(ScenarioErrors, of_faults_and_cancels) {
  EXPECT_EQ(
      only(errors_of_part("faults: {engine_crash: {for: 1s}}")),
      "s.yaml:5:10: faults.engine_crash: needs \"rate\", such as {rate: 2/h, for: {min: 1s, max: 30s}}");
  EXPECT_EQ(only(errors_of_part("faults: {engine_crsh: 1/h}")),
            "s.yaml:5:10: faults.engine_crsh: unknown key \"engine_crsh\"; did you mean \"engine_crash\"?");
  EXPECT_EQ(only(errors_of_part("faults: {network: {drop: 1/h}}")),
            "s.yaml:5:20: faults.network.drop: expected a number from 0 to 1, got the text \"1/h\"");
  EXPECT_EQ(only(errors_of_part("cancels: {after: 1s}")),
            "s.yaml:5:1: cancels: needs \"rate\", such as {rate: 0.02, after: {min: 0s, max: 10s}}");
}

TEST(ScenarioErrors, of_expectations_about_runs) {
  const auto error = [](const std::string& item) { return only(errors_of_part("expect: [" + item + "]")); };
  EXPECT_EQ(error(R"({name: x})"),
            "s.yaml:5:10: expect[0]: needs exactly one of \"always\", \"eventually\", \"sometimes\" and "
            "\"totals\"");
  EXPECT_EQ(
      error(R"({always: "${{ run.state == 'failed' }}"})"),
      "s.yaml:5:24: expect[0].always: a run has no \"state\"; there is id, workflow, definition, status, "
      "input, "
      "output, error, session_id, labels, priority, version, created_at, ended_at, usage, parent, cause, "
      "forked_from, budget, steps");
  EXPECT_EQ(error(R"({always: "${{ run.steps.scn.output == 1 }}"})"),
            "s.yaml:5:11: expect[0].always: no step \"scn\" in any workflow; did you mean \"scan\"?");
  EXPECT_EQ(error(R"({always: "${{ run.steps.scan.output == 1 }}", workflow: other})"),
            "s.yaml:5:11: expect[0].always: no step \"scan\" in the workflow other");
  EXPECT_EQ(error(R"({always: "${{ run.steps.scan.output == run.steps.wait.output }}"})"),
            "s.yaml:5:11: expect[0].always: no workflow has all of the steps that are mentioned");
  EXPECT_EQ(
      error(R"({always: "${{ status == 'failed' }}"})"),
      "s.yaml:5:24: expect[0].always: no name \"status\" here: write run.status, run.steps.NAME.output, …");
  EXPECT_EQ(error(R"({always: "run.status == 'failed'"})"),
            "s.yaml:5:11: expect[0].always: expected true, false or one expression in ${{ … }}, got the text "
            "\"run.status "
            "== 'failed'\"; did you mean \"${{ run.status == 'failed' }}\"?");
}

TEST(ScenarioErrors, of_expectations_about_the_totals) {
  const auto error = [](const std::string& expression) {
    return only(errors_of_part("expect: [{totals: \"${{ " + expression + " }}\"}]"));
  };
  EXPECT_EQ(error("totals.runs.fialed == 0"),
            "s.yaml:5:24: expect[0].totals: runs has no \"fialed\"; did you mean \"failed\"?");
  EXPECT_EQ(error("totals.effects.scan.duplicates == 0"),
            "s.yaml:5:24: expect[0].totals: the agent scan is pure and nothing of it is counted; set effect: "
            "irreversible or idempotent");
  EXPECT_EQ(error("totals.workflows.ordr.runs.open == 0"),
            "s.yaml:5:24: expect[0].totals: the project has no \"ordr\"; did you mean \"order\"?");
  EXPECT_EQ(error("totals.workflows.order.latency.p95_ms == 0"),
            "s.yaml:5:24: expect[0].totals: latency has no \"p95_ms\"; did you mean \"p90_ms\"?");
  EXPECT_EQ(only(errors_of_part("expect: [{totals: true, workflow: order}]")),
            "s.yaml:5:25: expect[0].workflow: the totals are of all workflows; write totals.workflows.NAME");
}

}  // namespace
}  // namespace ganglion::scenario

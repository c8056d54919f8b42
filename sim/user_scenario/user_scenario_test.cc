// What a scenario file says happens, happens.

#include "sim/user_scenario/user_scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/user_scenario/user_scenario_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr const char* kProject = R"(
ganglion: 1
agents:
  stock: {kind: worker, timeout: 5s, retry: {max_attempts: 3, initial: 100ms}}
  carrier: {kind: worker, timeout: 5s, retry: {max_attempts: 3, initial: 100ms}}
  label: {kind: process, command: [./label], timeout: 5s}
  legal: {kind: human}
workflows:
  shipment:
    steps:
      stock: {agent: stock, input: "${{ input }}"}
      carrier: {agent: carrier, needs: [stock]}
    output: "${{ steps.carrier.output }}"
  labelled:
    steps: {label: {agent: label}}
  signed:
    steps:
      sign_off: {approve: {by: [ann, bob], show: "${{ input }}"}, on_failure: continue}
      opinion: {agent: legal, input: "${{ input }}", needs: [sign_off]}
    output: "${{ steps.opinion.output }}"
  batch:
    steps:
      each: {for_each: "${{ [1, 2] }}", workflow: shipment, input: {n: "${{ item }}"}}
  returned:
    steps: {stock: {agent: stock, input: "${{ input }}"}}
  waiting:
    steps: {wait: {wait_for: {event: parcel.found}}}
  stubborn:
    steps: {stock: {agent: stock, on_failure: pause}}
triggers: [{on: parcel.returned, workflow: returned, input: "${{ event.data }}"}]
)";

UserScenarioOptions with(const std::string& rest) {
  return options_of(kProject, "simulation: 1\nproject: ganglion.yaml\nduration: 10m\nsettle: 10m\n" + rest);
}

const std::string kShipments = "arrivals: [{workflow: shipment, every: 10s, count: 20}]\n";

// --- what comes from outside
// ------------------------------------------------------------------------------------------

TEST(UserScenarioTest, without_faults_every_run_completes) {
  const SeedResult result = run(with(kShipments + R"(
expect:
  - always: "${{ run.status != 'failed' }}"
  - eventually: "${{ run.status == 'completed' }}"
  - totals: "${{ totals.runs.completed == 20 && totals.attempts == 40 && totals.failures == 0 }}"
)"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(result.runs, 20u);
  EXPECT_THAT(result.events, SizeIs(20)) << "arrivals, and nothing else";
  EXPECT_EQ(result.events.front(), "arrival.shipment:1");
  EXPECT_EQ(total(result, "workflows.shipment.runs.completed"), 20);
}

TEST(UserScenarioTest, agents_of_every_kind_are_performed) {
  const SeedResult result = run(with(R"(
agents: {label: {script: [{output: {printed: true}}]}}
arrivals: [{workflow: labelled, at: [0s, 1s]}]
expect: [{eventually: "${{ run.steps.label.output.printed }}"}]
)"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(total(result, "attempts"), 2);
}

TEST(UserScenarioTest, attempts_are_those_of_agents_and_sub_runs_count_as_runs) {
  const SeedResult result = run(with("arrivals: [{workflow: batch, at: [0s]}]\n"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(total(result, "runs.completed"), 3);
  EXPECT_EQ(total(result, "attempts"), 4) << "a sub-run is no attempt";
}

TEST(UserScenarioTest, events_from_outside_start_runs_which_are_named_after_them) {
  const auto options = with(
      "events: [{topic: parcel.returned, every: 1m, count: 3, data: {n: \"${{ index }}\"}}]\n"
      "agents: {stock: {errors: 1}}\nexpect: [{always: \"${{ run.status != 'failed' }}\"}]\n");
  const SeedResult result = run(options);
  ASSERT_THAT(result.violations, SizeIs(1));
  EXPECT_THAT(result.events, Contains("event.parcel.returned:1"));
  EXPECT_THAT(result.events, Contains("event.parcel.returned:1/returned/stock/stock.error:3"));
  EXPECT_EQ(result.runs, 1u) << "the first violation ends the story";
}

TEST(UserScenarioTest, clients_cancel_a_share_of_their_runs) {
  const auto options = with("agents: {carrier: {latency: 4s}}\n" + kShipments +
                            "cancels: {rate: 0.5, after: {min: 0s, max: 3s}}\n");
  const SeedResult result = run(options);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_GT(total(result, "runs.cancelled"), 3);
  EXPECT_GT(total(result, "runs.completed"), 3);
  EXPECT_EQ(total(result, "runs.cancelled"),
            std::ranges::count_if(result.events, [](const auto& e) { return e.starts_with("cancel."); }));
}

TEST(UserScenarioTest, an_input_that_the_workflow_refuses_is_a_mistake_of_the_scenario) {
  const auto options = options_of(
      "ganglion: 1\nworkflows: {w: {input: {type: object, required: [n]}, steps: {s: {transform: 1}}}}\n",
      "simulation: 1\nproject: p\narrivals: [{workflow: w, at: [0s], input: \"${{ index == 0 ? {} : {'n': 1} "
      "}}\"}]\n");
  EXPECT_THAT(run(options).violations,
              ElementsAre(StartsWith("the scenario is wrong: arrival.w:1 was refused with 422")));
}

// --- people
// -----------------------------------------------------------------------------------------------------------

const std::string kSigned =
    "arrivals: [{workflow: signed, every: 30s, count: 10, input: {n: \"${{ index }}\"}}]\n";

TEST(UserScenarioTest, people_decide_what_they_are_shown_after_their_time) {
  const SeedResult result = run(with(kSigned + R"(
people:
  - {by: bob, steps: [sign_off], after: {min: 1m, max: 2m}}
  - {by: ann, steps: [opinion], after: 1m, output: "${{ {'seen': show.n} }}"}
expect:
  - eventually: "${{ run.output.seen == run.input.n && run.steps.sign_off.output.by == 'bob' }}"
  - totals: "${{ totals.latency.p50_ms >= 120000 && totals.latency.max_ms < 190000 }}"
)"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(total(result, "runs.completed"), 10);
  EXPECT_EQ(result.sightings.at("an approval was decided"), 20u);
  EXPECT_EQ(total(result, "attempts"), 0) << "a person is asked, not attempted";
}

TEST(UserScenarioTest, a_no_is_an_event_with_a_name) {
  const auto options = with(kSigned + "people: [{by: ann, after: 1s, approve: 0.5}]\n");
  const SeedResult result = run(options);
  const auto rejects = [](const std::string& event) {
    return event.find("/sign_off.reject:1") != std::string::npos;
  };
  EXPECT_GT(std::ranges::count_if(result.events, rejects), 1);
  EXPECT_LT(std::ranges::count_if(result.events, rejects), 9);
}

TEST(UserScenarioTest, whoever_waits_for_nobody_in_particular_stays_open_without_complaint) {
  const SeedResult result = run(with(kSigned + "people: [{by: ann, steps: [sign_off], after: 1s}]\n"));
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(total(result, "runs.open"), 10) << "nobody does the task";
}

TEST(UserScenarioTest, a_person_who_takes_too_long_is_named) {
  const SeedResult result =
      run(with("arrivals: [{workflow: signed, at: [0s]}]\npeople: [{by: ann, after: 1h}]\n"));
  EXPECT_THAT(
      result.violations,
      ElementsAre(HasSubstr("of signed (signed:1) has not ended 10m after everything healed: step sign_off "
                            "waits for a decision of ann or bob")));
}

TEST(UserScenarioTest, an_event_that_never_comes_is_named_and_so_is_a_run_on_hold) {
  EXPECT_THAT(run(with("arrivals: [{workflow: waiting, at: [0s]}]\n")).violations,
              ElementsAre(HasSubstr("step wait waits for an event parcel.found")));
  EXPECT_THAT(
      run(with("agents: {stock: {errors: 1}}\narrivals: [{workflow: stubborn, at: [0s]}]\n")).violations,
      ElementsAre(HasSubstr("step stock failed, and nobody resumes it")));
}

// --- expectations
// -----------------------------------------------------------------------------------------------------

TEST(UserScenarioTest, a_violation_says_what_does_not_hold_for_which_run_and_when) {
  const SeedResult result =
      run(with("agents: {carrier: {errors: {rate: 1, code: late, retryable: false}}}\n"
               "arrivals: [{workflow: shipment, at: [2s]}]\n"
               "expect: [{always: \"${{ run.status != 'failed' }}\"}]\n"));
  EXPECT_THAT(result.violations, ElementsAre(::testing::MatchesRegex(
                                     "always \"run.status != 'failed'\" does not hold for run [0-9A-Z]* of "
                                     "shipment .shipment:1.: status "
                                     "failed .error code late of step carrier., at 2.[0-9]* s")));
}

TEST(UserScenarioTest, an_expectation_that_cannot_be_evaluated_does_not_hold) {
  const SeedResult result =
      run(with("arrivals: [{workflow: shipment, at: [2s]}]\n"
               "expect: [{name: always a number, always: \"${{ run.output.n > 0 }}\"}]\n"));
  EXPECT_THAT(result.violations, ElementsAre(HasSubstr("status running, and it can't be evaluated: ")));
}

TEST(UserScenarioTest, what_happens_sometimes_is_a_sighting_that_is_expected) {
  const auto options = with(kShipments + R"(
expect:
  - {name: it runs, sometimes: "${{ run.status == 'running' }}"}
  - {name: it fails, sometimes: "${{ run.status == 'failed' }}"}
)");
  EXPECT_THAT(expected_sightings(*options.scenario),
              ElementsAre("sometimes: it runs", "sometimes: it fails"));
  const SeedResult result = run(options);
  EXPECT_THAT(result.violations, IsEmpty());
  EXPECT_EQ(result.sightings.count("sometimes: it runs"), 1u);
  EXPECT_EQ(result.sightings.count("sometimes: it fails"), 0u);
}

TEST(UserScenarioTest, totals_that_do_not_hold_are_a_violation) {
  EXPECT_THAT(run(with(kShipments + "expect: [{totals: \"${{ totals.runs.started < 20 }}\"}]\n")).violations,
              ElementsAre("totals \"totals.runs.started < 20\" does not hold"));
}

TEST(UserScenarioTest, a_script_that_fails_is_a_mistake_of_the_scenario) {
  const auto options =
      with("agents: {stock: {script: [{when: \"${{ input.no }}\", output: 1}]}}\n" + kShipments);
  EXPECT_THAT(run(options).violations, ElementsAre(StartsWith("the scenario is wrong: agent stock: ")));
}

}  // namespace
}  // namespace ganglion::sim

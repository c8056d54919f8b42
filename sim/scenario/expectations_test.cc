// Whether what must hold holds, and why not.

#include "sim/scenario/expectations.h"

#include <gtest/gtest.h>

#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

Expectation expectation(const std::string& yaml) {
  return scenario_with("expect: [" + yaml + "]").expect.front();
}

const std::string kRun = R"({"id":"r","workflow":"order","status":"completed","output":{"n":3},
  "steps":{"scan":{"status":"completed","output":null}}})";

TEST(Expectation, holds_or_does_not) {
  const Observed run = Observed::run(kRun);
  EXPECT_EQ(holds(expectation(R"({always: "${{ run.status == 'completed' }}"})"), run), true);
  EXPECT_EQ(holds(expectation(R"({always: "${{ run.status == 'failed' }}"})"), run), false);
  EXPECT_EQ(
      holds(expectation(R"({eventually: "${{ run.output.n > 2 && run.steps.scan.output == null }}"})"), run),
      true);
}

TEST(Expectation, that_cannot_be_evaluated_says_why) {
  const Observed run = Observed::run(kRun);
  EXPECT_EQ(holds(expectation(R"({always: "${{ run.output.m > 2 }}"})"), run).error().code, "no_such_key");
  const auto text = holds(expectation(R"({always: "${{ run.status }}"})"), run);
  EXPECT_EQ(text.error().message, "the expression gives a value of type string, not true or false");
}

TEST(Expectation, of_the_totals_sees_the_totals) {
  const Observed totals = Observed::totals(R"({"runs":{"failed":2},"usd":1.5})");
  EXPECT_EQ(holds(expectation(R"({totals: "${{ totals.runs.failed == 2 && totals.usd < 10.0 }}"})"), totals),
            true);
}

TEST(Expectation, compares_whole_numbers_with_others) {
  const Observed totals = Observed::totals(R"({"tokens":7,"usd":0})");
  EXPECT_EQ(
      holds(expectation(R"({totals: "${{ totals.usd < 10.0 && totals.usd < 10 && totals.tokens == 7.0 }}"})"),
            totals),
      true);
}

TEST(Expectation, concerns_the_workflows_that_it_names_or_whose_steps_it_mentions) {
  const auto of_all = expectation(R"({always: "${{ run.status != 'failed' }}"})");
  EXPECT_TRUE(concerns(of_all, "order") && concerns(of_all, "other"));
  const auto named = expectation(R"({always: "${{ run.status != 'failed' }}", workflow: other})");
  EXPECT_TRUE(!concerns(named, "order") && concerns(named, "other"));
  const auto of_steps = expectation(R"({sometimes: "${{ run.steps.price.status == 'failed' }}"})");
  EXPECT_TRUE(concerns(of_steps, "order") && !concerns(of_steps, "other"));
}

TEST(Expectation, is_called_by_its_name_or_its_text) {
  EXPECT_EQ(expectation(R"({always: "${{ run.id != '' }}", name: has an id})").name, "has an id");
  EXPECT_EQ(expectation(R"({always: "${{ run.id != '' }}"})").name, "run.id != ''");
  EXPECT_EQ(expectation(R"({always: "${{ run.id != '' }}"})").line, 5);
}

}  // namespace
}  // namespace ganglion::scenario

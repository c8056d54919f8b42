// What a simulation came to.

#include "sim/scenario/totals.h"

#include <gtest/gtest.h>

#include "sim/scenario/expectations.h"
#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using std::chrono::milliseconds;

Totals totals_of(const std::string& scan = "{effect: irreversible}") {
  return Totals(
      scenario_of(kBegin + "agents: {price: {script: [{output: {cents: 1}}], effect: idempotent}, scan: " +
                  scan + "}\n"),
      project_of_tests());
}

TEST(Totals, of_nothing_are_zeros_for_everything_that_there_is) {
  EXPECT_EQ(totals_of().json(),
            R"({"runs":{"started":0,"completed":0,"failed":0,"cancelled":0,"open":0},)"
            R"("latency":{"p50_ms":0,"p90_ms":0,"p99_ms":0,"max_ms":0},"tokens":0,"usd":0,"attempts":0,)"
            R"("failures":0,"dead_letters":0,"effects":{)"
            R"("price":{"executions":0,"distinct":0,"duplicates":0},)"
            R"("scan":{"executions":0,"distinct":0,"duplicates":0}},"workflows":{)"
            R"("order":{"runs":{"started":0,"completed":0,"failed":0,"cancelled":0,"open":0},)"
            R"("latency":{"p50_ms":0,"p90_ms":0,"p99_ms":0,"max_ms":0}},)"
            R"("other":{"runs":{"started":0,"completed":0,"failed":0,"cancelled":0,"open":0},)"
            R"("latency":{"p50_ms":0,"p90_ms":0,"p99_ms":0,"max_ms":0}}}})");
}

TEST(Totals, count_runs_by_their_end_and_keep_the_open_ones) {
  Totals totals = totals_of();
  for (int i = 0; i < 5; ++i) totals.run_started("order");
  totals.run_ended("order", RunEnd::completed, milliseconds(10));
  totals.run_ended("order", RunEnd::failed, milliseconds(90));
  totals.run_ended("order", RunEnd::failed, milliseconds(90));
  totals.run_reopened("order", RunEnd::failed);
  totals.run_ended("order", RunEnd::cancelled, milliseconds(90));
  const std::string json = totals.json();
  EXPECT_NE(
      json.find(R"({"started":5,"completed":1,"failed":1,"cancelled":1,"open":2},"latency":{"p50_ms":10,)"),
      std::string::npos)
      << json;
}

TEST(Totals, take_percentiles_from_the_sorted_latencies) {
  Totals totals = totals_of();
  for (int i = 200; i >= 1; --i) {
    totals.run_started("order");
    totals.run_ended("order", RunEnd::completed, milliseconds(i));
  }
  EXPECT_NE(totals.json().find(R"("latency":{"p50_ms":100,"p90_ms":180,"p99_ms":198,"max_ms":200})"),
            std::string::npos);
}

TEST(Totals, add_money_exactly_in_any_order) {
  Totals totals = totals_of();
  for (int i = 0; i < 1'000; ++i) totals.used({{"usd", 0.1}, {"tokens", 3}});
  totals.used({{"input_tokens", 1}, {"output_tokens", 2}, {"usd", 0.0000004}});
  EXPECT_NE(totals.json().find(R"("tokens":3003,"usd":100.0000004,)"), std::string::npos) << totals.json();
}

TEST(Totals, call_a_second_effect_of_one_key_a_duplicate_unless_it_is_idempotent) {
  Totals totals = totals_of();
  for (const char* agent : {"scan", "price"}) {
    totals.effect(agent, "a");
    totals.effect(agent, "b");
    totals.effect(agent, "a");
  }
  EXPECT_NE(totals.json().find(R"("price":{"executions":3,"distinct":2,"duplicates":0})"), std::string::npos);
  EXPECT_NE(totals.json().find(R"("scan":{"executions":3,"distinct":2,"duplicates":1})"), std::string::npos);
}

TEST(Totals, count_attempts_failures_and_dead_letters) {
  Totals totals = totals_of();
  totals.attempt_ended(false);
  totals.attempt_ended(true);
  totals.dead_letter();
  EXPECT_NE(totals.json().find(R"("attempts":2,"failures":1,"dead_letters":1,)"), std::string::npos);
}

}  // namespace
}  // namespace ganglion::scenario

#include "sim/runner/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

SeedResult good(std::uint64_t seed) {
  return {.seed = seed,
          .sightings = {{"a thing", 2}},
          .totals = R"({"latency":{"p99_ms":)" + std::to_string(seed) + "}}"};
}

FailedSeed bad() {
  SeedResult result{.seed = 7, .violations = {"run R: <it> & broke"}, .events = {"a:1", "b:1", "c:1"}};
  return {result, std::vector<std::string>{"b:1"}, 12, "ganglion sim x.yaml --seed 7 --only b:1"};
}

TEST(Report, SaysWhatFailedWhatItNeedsAndHowToReproduceIt) {
  Report report("x.yaml", {});
  report.add(good(1));
  report.add(bad().result);
  report.add(bad());
  const std::string table = report.table();
  EXPECT_THAT(table, HasSubstr("2 seeds, 1 failed"));
  EXPECT_THAT(table, HasSubstr("needs 1 of its 3 events"));
  EXPECT_THAT(table, HasSubstr("reproduce: ganglion sim x.yaml --seed 7 --only b:1"));
  EXPECT_FALSE(report.holds());
}

TEST(Report, WhatShouldHaveHappenedAndNeverDidIsAFailure) {
  Report report("x.yaml", {"a thing", "another thing"});
  report.add(good(1));
  EXPECT_THAT(report.missed(), ElementsAre("another thing"));
  EXPECT_FALSE(report.holds());
  report.excuse_missed();
  EXPECT_THAT(report.missed(), IsEmpty());
  EXPECT_TRUE(report.holds());
}

TEST(Report, TotalsAreShownOverAllSeeds) {
  Report report("x.yaml", {});
  for (const std::uint64_t seed : {5, 1, 9}) report.add(good(seed));
  EXPECT_THAT(report.table(), ::testing::ContainsRegex("latency.p99_ms +1 +5 +9"));
}

TEST(Report, ItsXmlEscapesWhatProgramsSay) {
  Report report("x.yaml", {"never seen"});
  report.add(bad().result);
  report.add(bad());
  EXPECT_THAT(report.junit(), HasSubstr("&lt;it&gt; &amp; broke"));
  EXPECT_THAT(report.junit(), Not(HasSubstr("<it>")));
  EXPECT_THAT(report.junit(), HasSubstr("tests=\"2\" failures=\"2\""));
}

TEST(Report, ItsJsonIsJson) {
  Report report("x.yaml", {"never seen"});
  report.add(bad().result);
  report.add(bad());
  const auto value = boost::json::parse(report.json());
  EXPECT_FALSE(value.at("holds").as_bool());
  EXPECT_EQ(value.at("failures").at(0).at("needs").at(0).as_string(), "b:1");
  EXPECT_EQ(value.at("missed").at(0).as_string(), "never seen");
}

}  // namespace
}  // namespace ganglion::sim

#include "sim/runner/seed_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "sim/runner/seed_json.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Every seventh seed fails; seed 13 crashes.
SeedResult pretend(std::uint64_t seed, const OnlyEvents& only, const Trace::Sink&) {
  if (seed == 13) std::_Exit(9);
  SeedResult result{.seed = seed, .trace = seed * 3, .events = {"a:1", "b:2"}, .steps = 10};
  if (only) result.events.assign(only->begin(), only->end());
  if (seed % 7 == 0) result.violations.push_back("it is a multiple of seven");
  result.sightings["seen"] = seed;
  result.totals = R"({"runs":{"started":3}})";
  return result;
}

std::map<std::uint64_t, SeedResult> run(std::uint64_t first, std::uint64_t count, PoolOptions options) {
  std::map<std::uint64_t, SeedResult> results;
  SeedPool(pretend, options).run({first, count}, [&](SeedResult result) {
    const std::uint64_t seed = result.seed;
    EXPECT_TRUE(results.emplace(seed, std::move(result)).second) << seed;
  });
  return results;
}

TEST(SeedPool, RunsEverySeedOnceHoweverManyChildrenThereAre) {
  for (const unsigned jobs : {1u, 2u, 5u, 40u}) {
    const auto results = run(15, 20, {.jobs = jobs, .stop_after_failures = 1'000});
    ASSERT_THAT(results, SizeIs(20)) << jobs;
    EXPECT_EQ(results.at(16).trace, 48u);
    EXPECT_THAT(results.at(16).events, IsEmpty());
    EXPECT_THAT(results.at(21).events, ElementsAre("a:1", "b:2"));
  }
}

TEST(SeedPool, ASeedThatCrashesIsASeedThatFails) {
  const auto results = run(10, 10, {.jobs = 2, .stop_after_failures = 1'000});
  ASSERT_THAT(results, SizeIs(10));
  EXPECT_THAT(results.at(13).violations, ElementsAre(HasSubstr("exit code 9")));
  EXPECT_THAT(results.at(15).violations, IsEmpty());
}

TEST(SeedPool, BeginsNothingNewAfterEnoughFailures) {
  const auto results = run(1, 100'000, {.jobs = 1, .stop_after_failures = 2});
  EXPECT_LT(results.size(), 100'000u);
  EXPECT_TRUE(results.contains(7));
}

TEST(SeedPool, OneSeedWithOnlySomeOfItsEvents) {
  SeedPool pool(pretend, {});
  const SeedResult result = pool.run_one(8, std::set<std::string>{"x:1"});
  EXPECT_THAT(result.events, ElementsAre("x:1"));
  EXPECT_THAT(pool.run_one(13, std::nullopt).violations, SizeIs(1));
}

TEST(SeedJson, IsReadAsItWasWritten) {
  SeedResult result = pretend(21, std::nullopt, {});
  result.trace = 0xFEDC'BA98'7654'3210u;
  result.length = std::chrono::milliseconds(1'234);
  const auto read = read_seed_json(seed_json(result));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(seed_json(*read), seed_json(result));
  EXPECT_EQ(read->trace, result.trace);
  EXPECT_FALSE(read_seed_json("{}"));
  EXPECT_FALSE(read_seed_json("no"));
}

}  // namespace
}  // namespace ganglion::sim

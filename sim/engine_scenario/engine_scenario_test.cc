// A fixed set of seeds, and that a seed is one story.

#include "sim/engine_scenario/engine_scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "adapters/memory/store.h"
#include "project/project.h"
#include "sim/runner/seed_json.h"

namespace ganglion::sim {
namespace {

using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

constexpr std::uint64_t kFixedTens = 8;
// As `ganglion sim engine --seeds 12` prints it.
constexpr const char* kTraceOfTwelve = "ee526200a1cae866";

BusFactory memory_broker() {
  return [broker = std::make_shared<memory::Broker>()](Clock& clock) {
    return bus_connection(std::make_unique<memory::Bus>(*broker, clock));
  };
}

EngineScenarioOptions options() {
  auto known = std::make_shared<std::map<std::string, std::shared_ptr<const Project>>>();
  return {.make_store = [](Clock& clock) { return std::make_unique<memory::Store>(clock); },
          .make_broker = memory_broker,
          .compile = [known](const std::string& source) -> Result<std::shared_ptr<const Project>> {
            if (const auto found = known->find(source); found != known->end()) return found->second;
            return known->emplace(source, project::parse(source, "ganglion.yaml").value()).first->second;
          }};
}

SeedResult run(std::uint64_t seed, const OnlyEvents& only = {}) {
  static const EngineScenarioOptions shared = options();
  return run_engine_scenario(seed, only, {}, shared);
}

class EngineSeeds : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Tens, EngineSeeds, ::testing::Range(std::uint64_t{0}, kFixedTens));

TEST_P(EngineSeeds, KeepEveryPromise) {
  for (std::uint64_t seed = GetParam() * 10 + 1; seed <= GetParam() * 10 + 10; ++seed) {
    EXPECT_THAT(run(seed).violations, IsEmpty()) << "ganglion sim engine --seed " << seed;
  }
}

// Seeds that have found something once and are not among the first eighty, as 4 (engines that count in one
// session lost updates), 6 (a run that was retried and failed again within one commit was listed with its old
// end) and 12 (a journal's time went back) are. 1199: a retried run was decided without its session's state.
class FoundBy : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, FoundBy, ::testing::Values(1199));

TEST_P(FoundBy, ItStaysMended) {
  EXPECT_THAT(run(GetParam()).violations, IsEmpty()) << "ganglion sim engine --seed " << GetParam();
}

TEST(EngineStory, IsTheSameEveryTime) {
  for (const std::uint64_t seed : {3, 4, 11}) {
    const SeedResult first = run(seed);
    const SeedResult second = run(seed);
    EXPECT_EQ(first.trace, second.trace) << seed;
    EXPECT_EQ(first.events, second.events) << seed;
    EXPECT_EQ(first.steps, second.steps) << seed;
  }
}

// Another number here on another machine, compiler or optimisation is a story that isn't deterministic; after
// a change of the engine or of the simulator it is just another story.
TEST(EngineStory, IsTheSameEverywhere) {
  std::uint64_t all = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) all += mix(seed, run(seed).trace);
  EXPECT_EQ(hex(all), kTraceOfTwelve);
}

TEST(EngineStory, OfOnlySomeEventsHasNoOthers) {
  const SeedResult whole = run(5);
  ASSERT_GT(whole.events.size(), 20u);
  std::set<std::string> half;
  for (std::size_t i = 0; i < whole.events.size(); i += 2) half.insert(whole.events[i]);

  const SeedResult part = run(5, half);
  EXPECT_THAT(half, IsSupersetOf(part.events));
  EXPECT_FALSE(part.events.empty());
  EXPECT_THAT(run(5, std::set<std::string>()).events, IsEmpty());
}

}  // namespace
}  // namespace ganglion::sim

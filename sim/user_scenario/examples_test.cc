// The scenarios of the examples hold, and the mistakes that two of them have are found and shrunk.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/runner/shrink.h"
#include "sim/user_scenario/user_scenario_fixture.h"

namespace ganglion::sim {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

constexpr std::uint64_t kSeeds = 3;
constexpr std::uint64_t kFoundWithin = 20;
constexpr std::size_t kShrunkTo = 10;

class HappyExample : public ::testing::TestWithParam<const char*> {};

TEST_P(HappyExample, holds_under_its_faults) {
  const auto options = example(GetParam());
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const SeedResult result = run(options, seed);
    EXPECT_THAT(result.violations, IsEmpty()) << "seed " << seed;
    for (const std::string& sighting : expected_sightings(*options.scenario)) {
      EXPECT_THAT(result.sightings, Contains(Key(sighting))) << "seed " << seed;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, HappyExample,
                         ::testing::Values("logistics/simulation.yaml", "support/simulation.yaml"));

SeedResult first_failure(const UserScenarioOptions& options) {
  for (std::uint64_t seed = 1; seed <= kFoundWithin; ++seed) {
    SeedResult result = run(options, seed);
    if (!result.violations.empty()) return result;
  }
  return {};
}

class PlantedMistake : public ::testing::TestWithParam<const char*> {};

TEST_P(PlantedMistake, is_found_soon_and_shrinks_to_a_few_events) {
  const auto options = example(GetParam());
  const SeedResult failure = first_failure(options);
  ASSERT_THAT(failure.violations, SizeIs(1));
  const std::string kind = kind_of_violation(failure.violations.front());
  const auto fails_so = [&](const std::vector<std::string>& events) {
    const SeedResult result = run(options, failure.seed, std::set(events.begin(), events.end()));
    return std::ranges::any_of(result.violations, [&](const std::string& violation) {
      return kind_of_violation(violation) == kind;
    });
  };
  const Shrunk shrunk = shrink(failure.events, fails_so);
  EXPECT_TRUE(shrunk.minimal);
  EXPECT_LE(shrunk.events.size(), kShrunkTo);
  EXPECT_TRUE(fails_so(shrunk.events)) << ::testing::PrintToString(shrunk.events);
}

INSTANTIATE_TEST_SUITE_P(Examples, PlantedMistake,
                         ::testing::Values("logistics/sim/double-dispatch/simulation.yaml",
                                           "support/sim/lost-escalation/simulation.yaml"));

TEST(PlantedMistakeTest, of_the_lost_escalation_is_gone_when_it_is_mended) {
  const auto folder = std::filesystem::path(GANGLION_SOURCE_DIR) / "examples/support/sim/lost-escalation";
  std::string project = project::read_file(folder / "ganglion.yaml").value();
  const std::string mistake = "${{ steps.reply.output.score < 0.5 }}";
  project.replace(project.find(mistake), mistake.size(),
                  "${{ steps.reply.output == null || steps.reply.output.score < 0.5 }}");
  const auto options = options_of(project, project::read_file(folder / "simulation.yaml").value());
  for (std::uint64_t seed = 1; seed <= 2; ++seed) EXPECT_THAT(run(options, seed).violations, IsEmpty());
}

}  // namespace
}  // namespace ganglion::sim

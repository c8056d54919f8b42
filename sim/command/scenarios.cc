#include "sim/command/scenarios.h"

#include <map>
#include <memory>
#include <utility>

#include "project/project.h"
#include "sim/engine_scenario/engine_scenario.h"
#include "sim/world/world.h"

namespace ganglion::sim {
namespace {

constexpr std::uint64_t kEnoughEngineSeeds = 1'000;

// Projects are compiled once, however many seeds ask.
Compile cached_compile() {
  auto known = std::make_shared<std::map<std::string, std::shared_ptr<const Project>>>();
  return [known](const std::string& source) -> Result<std::shared_ptr<const Project>> {
    if (const auto found = known->find(source); found != known->end()) return found->second;
    auto parsed = project::parse(source, "ganglion.yaml");
    if (!parsed) return fail("invalid_project", parsed.error().front().text());
    known->emplace(source, *parsed);
    return *parsed;
  };
}

PreparedScenario engine_scenario(const StoreFactory& make_store) {
  const auto options =
      std::make_shared<EngineScenarioOptions>(EngineScenarioOptions{make_store, cached_compile()});
  return {.run = [options](
                     std::uint64_t seed, const OnlyEvents& only,
                     Trace::Sink sink) { return run_engine_scenario(seed, only, std::move(sink), *options); },
          .expected_sightings = expected_sightings(),
          .enough_seeds = kEnoughEngineSeeds};
}

}  // namespace

Result<PreparedScenario> prepare_scenario(const std::string& scenario, const StoreFactory& make_store) {
  if (scenario == "engine") return engine_scenario(make_store);
  return fail("unreadable", scenario + ": there is no such scenario");
}

}  // namespace ganglion::sim

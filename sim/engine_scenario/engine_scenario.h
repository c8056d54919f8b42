#pragma once

// The scenario that tests the engine itself: a seed chooses a project, engines, workers, customers and what
// goes wrong; for a while everything breaks; then nothing does, and everything must end; then every promise
// of the contract is held against what is there and what was said.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/runner/seed_result.h"
#include "sim/world/world.h"

namespace ganglion::sim {

struct EngineScenarioOptions {
  StoreFactory make_store;
  BrokerFactory make_broker;
  Compile compile;
};

SeedResult run_engine_scenario(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                               const EngineScenarioOptions& options);

// What thousands of seeds should have seen at least once: a night in which one of these never happened has
// tested less than it says.
const std::vector<std::string>& expected_sightings();

}  // namespace ganglion::sim

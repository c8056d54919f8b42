#pragma once

// The scenario that tests the engine itself: a seed chooses a project, engines, workers, customers and what
// goes wrong; for a while everything breaks; then nothing does, and everything must end; then every promise
// of the contract is held against what is there and what was said.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/world/world.h"

namespace ganglion::sim {

struct EngineScenarioOptions {
  StoreFactory make_store;
  Compile compile;
  Trace::Sink sink = {};
};

struct SeedResult {
  std::uint64_t seed = 0;
  std::vector<std::string> violations = {};
  std::uint64_t trace = 0;               // hash
  std::vector<std::string> events = {};  // what happened that need not have, by name
  std::map<std::string, std::uint64_t, std::less<>> sightings = {};
  std::uint64_t steps = 0;   // of the timeline
  std::uint64_t writes = 0;  // of the store
  std::size_t runs = 0;
  SimTime length{};
};

SeedResult run_engine_scenario(std::uint64_t seed, const OnlyEvents& only,
                               const EngineScenarioOptions& options);

// What thousands of seeds should have seen at least once: a night in which one of these never happened has
// tested less than it says.
const std::vector<std::string>& expected_sightings();

}  // namespace ganglion::sim

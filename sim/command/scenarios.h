#pragma once

// The scenario that was asked for, ready to run seeds.

#include <string>
#include <vector>

#include "base/result.h"
#include "sim/command/backends.h"
#include "sim/runner/seed_result.h"

namespace ganglion::sim {

struct PreparedScenario {
  RunSeed run;
  std::vector<std::string> expected_sightings;
  // Below this many seeds nobody expects to have seen everything.
  std::uint64_t enough_seeds = 1;
};

// `engine`, or the path of a scenario file. The error's message has a line for everything that is wrong.
Result<PreparedScenario> prepare_scenario(const std::string& scenario, const Backends& backends);

}  // namespace ganglion::sim

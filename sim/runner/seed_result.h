#pragma once

// What a scenario says of one seed, whatever the scenario is.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/kernel/fate.h"
#include "sim/kernel/sim_time.h"
#include "sim/kernel/trace.h"

namespace ganglion::sim {

struct SeedResult {
  std::uint64_t seed = 0;
  std::vector<std::string> violations = {};  // none: everything held
  std::uint64_t trace = 0;                   // hash
  std::vector<std::string> events = {};      // what happened that need not have, by name (fate.h)
  // Things worth having seen at least once, and how often.
  std::map<std::string, std::uint64_t, std::less<>> sightings = {};
  std::string totals = {};   // a JSON object, where the scenario has one
  std::uint64_t steps = 0;   // of the timeline
  std::uint64_t writes = 0;  // of the store
  std::size_t runs = 0;
  SimTime length{};  // virtual
};

// Runs one seed; with `only`, of its events only these happen.
using RunSeed = std::function<SeedResult(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink)>;

}  // namespace ganglion::sim

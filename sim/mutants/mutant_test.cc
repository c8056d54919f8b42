// Hunts a mistake that was built in: succeeds if a seed of the engine scenario notices it within so many
// seeds.
//
//   sim_mutant_fencing [SEEDS]

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "adapters/memory/store.h"
#include "sim/command/scenarios.h"
#include "sim/runner/seed_pool.h"

int main(int argc, char** argv) {
  using namespace ganglion;
  const std::uint64_t seeds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000;
  const auto scenario = sim::prepare_scenario(
      "engine",
      {.make_store = [](Clock& clock) { return std::make_unique<memory::Store>(clock); }, .make_broker = {}});
  bool found = false;
  sim::SeedPool pool(scenario->run, {.jobs = 1, .stop_after_failures = 1});
  pool.run({.first = 1, .count = seeds}, [&](const sim::SeedResult& result) {
    if (found || result.violations.empty()) return;
    found = true;
    std::printf("found by seed %llu: %s\n", static_cast<unsigned long long>(result.seed),
                result.violations.front().c_str());
  });
  if (!found) std::printf("not found within %llu seeds\n", static_cast<unsigned long long>(seeds));
  return found ? 0 : 1;
}

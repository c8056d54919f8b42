#pragma once

// Runs many seeds beside each other, each in a child process, so that a seed that crashes (an assertion, a
// sanitizer) is a seed that fails and not the end of the night. Children are forked from the caller, which
// has no other threads.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/runner/seed_result.h"

namespace ganglion::sim {

inline constexpr unsigned kMaxJobs = 256;

struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t count = 1;
};

struct PoolOptions {
  unsigned jobs = 1;                    // 1 … kMaxJobs
  std::size_t stop_after_failures = 1;  // no new seed is begun then
};

class SeedPool {
 public:
  SeedPool(RunSeed run, PoolOptions options) : run_(std::move(run)), options_(options) {}

  // Calls `ended` for every seed that was run, in the order in which they end. Events are known of those that
  // failed.
  using Ended = std::function<void(SeedResult result)>;
  void run(const SeedRange& seeds, const Ended& ended);

  // One seed in a child of its own. One that crashes is a result with a violation that says so.
  SeedResult run_one(std::uint64_t seed, const OnlyEvents& only);

 private:
  class Child;

  RunSeed run_;
  const PoolOptions options_;
};

}  // namespace ganglion::sim

#pragma once

// `ganglion sim`: a scenario over many seeds, what failed shrunk to the events that it needs, and a report.
// The scenario `engine` tests the engine itself; any other is a file of a user's.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sim/command/backends.h"
#include "sim/kernel/fate.h"

namespace ganglion::sim {

struct SimulateOptions {
  std::string scenario;
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 100;
  OnlyEvents only = {};  // of one seed
  unsigned jobs = 0;     // processes at once; 0: one for each processor
  std::size_t max_failures = 1;
  bool shrinks = true;
  bool timeline = false;  // print the story of the first failure, or of the one seed
  bool json = false;
  std::optional<std::string> junit = {};  // a file
};

// Where it says what. `live`: messages go to a terminal, progress may be drawn.
struct SimulateIo {
  std::function<void(std::string_view)> output;
  std::function<void(std::string_view)> message;
  bool live = false;
};

enum class Simulated { holds, fails, invalid };

Simulated simulate(const SimulateOptions& options, const SimulateIo& io, const Backends& backends);

}  // namespace ganglion::sim

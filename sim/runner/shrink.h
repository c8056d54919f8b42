#pragma once

// From a failure with many events to one with few: delta debugging (Zeller, Hildebrandt: "Simplifying and
// Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002), over the names of a seed's events. The result is
// minimal in the sense that without any one of its events the failure is another one or none, if the tries
// were enough.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace ganglion::sim {

struct ShrinkOptions {
  std::size_t max_tries = 2'000;
};

struct Shrunk {
  std::vector<std::string> events;
  std::size_t tries = 0;
  bool minimal = true;  // false: the tries were not enough
};

// Whether it still fails where only these events happen. Asked about every subset at most once.
using StillFails = std::function<bool(const std::vector<std::string>& events)>;

// `events` are those of a run that failed.
Shrunk shrink(std::vector<std::string> events, const StillFails& still_fails,
              const ShrinkOptions& options = {});

// The same failure reads alike but for ids, times and amounts: those are taken out.
std::string kind_of_violation(const std::string& violation);

}  // namespace ganglion::sim

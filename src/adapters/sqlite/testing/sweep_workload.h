#pragma once

// What the sweeps do to a store: a few dozen writes that use every part of the port, always the same. Each is
// one step; the store after the first n steps is the same whatever adapter they went to, so that a store in
// memory says what a file must hold.

#include <functional>
#include <string>
#include <vector>

#include "adapters/sqlite/testing/store_dump.h"
#include "ports/store.h"

namespace ganglion::sqlite::testing {

// `refused`: nothing was written, the same may be tried again. `wrong`: an answer that no step expects.
enum class StepAnswer { done, refused, wrong };

struct Step {
  std::string name;
  std::function<void(ganglion::Store&, std::function<void(StepAnswer)>)> submit;
};

// A step, and what gathers in the queue while it is written and is then one transaction, in this order.
struct StepGroup {
  Step first;
  std::vector<Step> together = {};
};
// From opening the store to closing it.
using Session = std::vector<StepGroup>;

const std::vector<Session>& sweep_workload();
std::size_t step_count(const Session& session);
const KnownKeys& sweep_keys();

// What a store holds after the first n steps, for every n: as the store in memory has it.
std::vector<StoreDump> expected_dumps();

}  // namespace ganglion::sqlite::testing

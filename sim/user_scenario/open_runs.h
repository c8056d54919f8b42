#pragma once

// Why a run has not ended.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/run.h"
#include "sim/scenario/scenario.h"

namespace ganglion::sim {

using OpenRuns = std::map<RunId, std::unique_ptr<Run>>;

// Everything that it waits for, itself or in a sub-run, is a decision of somebody whom the scenario has
// nobody for: nothing will happen, and nothing is wrong about it.
bool waits_for_nobody_known(const Run& run, const OpenRuns& open,
                            const std::vector<scenario::Person>& people);

// `step sign_off waits for a decision of ann`
std::string what_it_waits_for(const Run& run);

}  // namespace ganglion::sim

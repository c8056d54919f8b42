#pragma once

// `expect:` of a scenario. What an expression mentions is held against what it will see: members of a run,
// steps of its workflow, members of the totals.

#include <map>
#include <string>
#include <vector>

#include "sim/scenario/reading.h"

namespace ganglion::scenario {

std::vector<Expectation> read_expectations(const Field& field,
                                           const std::map<std::string, AgentModel>& agents,
                                           const Reading& reading);

}  // namespace ganglion::scenario

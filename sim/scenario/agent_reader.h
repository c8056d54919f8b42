#pragma once

// `agents:` of a scenario.

#include <map>
#include <optional>
#include <string>

#include "sim/scenario/agent_model.h"
#include "sim/scenario/reading.h"

namespace ganglion::scenario {

// A model for every agent of the project that is no person and no router, also for those that the scenario
// doesn't name. `owner` is the scenario itself.
std::map<std::string, AgentModel> read_agents(const std::optional<Field>& field, const Field& owner,
                                              const Reading& reading);

}  // namespace ganglion::scenario

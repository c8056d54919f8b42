#pragma once

// `script:` of an agent.

#include <optional>
#include <string>
#include <vector>

#include "sim/scenario/agent_model.h"
#include "sim/scenario/reading.h"

namespace ganglion::scenario {

std::vector<Reply> read_script(const Field& field, const AgentDefinition& agent, const Reading& reading);

// snake_case, as the engine's own codes.
std::optional<std::string> read_error_code(const Field& field, const Reading& reading);
std::optional<bool> read_flag(const Field& field, const Reading& reading);

}  // namespace ganglion::scenario

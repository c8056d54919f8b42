#pragma once

// Agents, and the programs that some of them are part of.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/workflow.h"
#include "project/fields.h"
#include "project/policies.h"

namespace ganglion::project {

// Every name under `agents:`; those that can't be built (reported) have no definition.
using Agents = std::map<std::string, std::optional<AgentDefinition>>;

// Agents may mention each other (fallbacks, a router's targets), so they are read twice: by themselves, then
// what they mention.
Agents read_agents(const Field& field, const Defaults& defaults, Diagnostics& diagnostics);

std::vector<WorkerProgram> read_workers(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project

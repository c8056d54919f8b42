#pragma once

// The parts of a project that are not workflows: defaults, agents, worker programs.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/workflow.h"
#include "project/fields.h"

namespace ganglion::project {

// What `defaults:` sets, key by key.
struct Defaults {
  Duration timeout = AgentDefinition{}.timeout;
  RetryPolicy retry;
};

// Names of agents and workflows: letters, digits, '_' and '-', a letter or '_' first. Reports others.
inline constexpr std::size_t kMaxNameBytes = 64;
void check_name(const std::string& name, const Field& field, Diagnostics& diagnostics);

// `base` with the keys that the field sets.
RetryPolicy read_retry(const Field& field, const RetryPolicy& base, Diagnostics& diagnostics);

Defaults read_defaults(const Field& field, Diagnostics& diagnostics);

// Every name under `agents:`; those that can't be built (reported) have no definition.
using Agents = std::map<std::string, std::optional<AgentDefinition>>;
Agents read_agents(const Field& field, const Defaults& defaults, Diagnostics& diagnostics);

std::vector<WorkerProgram> read_workers(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project

#pragma once

// Workflows: their steps, the edges between them, and that these make no cycle.

#include <map>
#include <string>

#include "core/workflow.h"
#include "project/agents.h"
#include "project/fields.h"

namespace ganglion::project {

std::map<std::string, WorkflowDefinition> read_workflows(const Field& field, const Agents& agents,
                                                         const Defaults& defaults, Diagnostics& diagnostics);

}  // namespace ganglion::project

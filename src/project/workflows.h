#pragma once

// Workflows: their steps, the edges between them, and that these make no cycle.

#include <map>
#include <string>

#include "core/workflow.h"
#include "project/actions.h"
#include "project/agents.h"
#include "project/fields.h"
#include "project/topics.h"

namespace ganglion::project {

// What a workflow may refer to. `names` are those of all workflows: they may call each other.
struct WorkflowSurroundings {
  const Agents& agents;
  const WorkflowNames& names;
  const Topics& topics;
  const Defaults& defaults;
};

WorkflowNames workflow_names(const Field& field);

std::map<std::string, WorkflowDefinition> read_workflows(const Field& field,
                                                         const WorkflowSurroundings& around,
                                                         Diagnostics& diagnostics);

}  // namespace ganglion::project

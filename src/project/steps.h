#pragma once

// One step of a workflow.

#include <map>
#include <string>
#include <vector>

#include "core/workflow.h"
#include "project/agents.h"
#include "project/fields.h"
#include "project/values.h"

namespace ganglion::project {

// A step as it was read, and where each step that it needs is named, for errors about the graph.
struct ReadStep {
  StepDefinition definition;
  Position position;
  std::map<StepIndex, Position> needs;
};

// What a step may refer to.
struct StepSurroundings {
  const StepPositions& steps;
  const Agents& agents;
  const Defaults& defaults;
};

ReadStep read_step(const std::string& name, const Field& field, const StepSurroundings& around,
                   Diagnostics& diagnostics);

}  // namespace ganglion::project

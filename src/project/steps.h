#pragma once

// One step of a workflow.

#include <map>
#include <string>
#include <vector>

#include "core/workflow.h"
#include "project/actions.h"
#include "project/fields.h"

namespace ganglion::project {

// A step as it was read, and where each step that it needs is named, for errors about the graph.
struct ReadStep {
  StepDefinition definition;
  Position position;
  std::map<StepIndex, Position> needs;
  bool reads_state = false;
};

ReadStep read_step(const std::string& name, const Field& field, const StepSurroundings& around,
                   Diagnostics& diagnostics);

}  // namespace ganglion::project

#pragma once

// What a step does: the value of its one key `agent`, `workflow`, `approve`, `wait_for`, `publish`, `set`,
// `transform` or `sleep`.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/workflow.h"
#include "project/agents.h"
#include "project/expressions.h"
#include "project/fields.h"
#include "project/topics.h"

namespace ganglion::project {

// Of the workflows of the file, with the place of each.
using WorkflowNames = std::map<std::string, Position, std::less<>>;

// What a step may refer to.
struct StepSurroundings {
  const StepPositions& steps;
  const Agents& agents;
  const WorkflowNames& workflows;
  const Topics& topics;
  const Defaults& defaults;
};

// In the order in which errors name them.
std::span<const std::string> actions();
bool takes_input(std::string_view action);

struct ReadAction {
  StepAction action;
  std::optional<Field> timeout = {};              // that stands inside of it, for the whole step
  std::vector<StateMention> shown_to_agent = {};  // by its input
};

// `action` is one of actions(), `field` its value. `input` has the names of `input_names`, all else those of
// `names`.
struct ActionFields {
  std::string_view action;
  Field field;
  std::optional<Field> input;
  Names names;
  Names input_names;
};
ReadAction read_action(const ActionFields& fields, const StepSurroundings& around, Expressions& expressions,
                       Diagnostics& diagnostics);

// The name of a workflow. Reports one that doesn't exist, and returns nothing then.
std::optional<std::string> read_workflow_name(const Field& field, const WorkflowNames& workflows,
                                              Diagnostics& diagnostics);

}  // namespace ganglion::project

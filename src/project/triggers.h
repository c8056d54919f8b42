#pragma once

// `triggers:`: events and schedules that start runs.

#include <string_view>
#include <vector>

#include "core/workflow.h"
#include "project/actions.h"
#include "project/fields.h"

namespace ganglion::project {

inline constexpr std::size_t kMaxTriggers = 1000;

std::vector<Trigger> read_triggers(const Field& field, const WorkflowNames& workflows,
                                   Diagnostics& diagnostics);

// Adds the workflow by which each agent answers the topics that it subscribes to; see reaction_name.
void add_reactions(Project& project);
// Whether a workflow of this name is one of those, and not the file's own.
bool is_reaction(std::string_view workflow);

}  // namespace ganglion::project

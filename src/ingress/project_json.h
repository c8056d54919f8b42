#pragma once

// The JSON of what a project defines.

#include <string>

#include "agents/poll.h"
#include "core/workflow.h"

namespace ganglion::ingress {

std::string project_json(const Project& project);
std::string workflow_json(const Project& project, const WorkflowDefinition& workflow);
std::string agent_json(const AgentDefinition& agent, const agents::AgentStatus& status);

}  // namespace ganglion::ingress

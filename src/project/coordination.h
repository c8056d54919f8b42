#pragma once

// `coordination`: the strategy, and the domains with their workflows.

#include "core/coordination.h"
#include "project/actions.h"
#include "project/fields.h"

namespace ganglion::project {

Coordination read_coordination(const Field& field, const WorkflowNames& workflows, Diagnostics& diagnostics);

}  // namespace ganglion::project

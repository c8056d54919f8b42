#pragma once

// Whether agents may read the keys of the state that their input mentions.

#include <set>
#include <span>
#include <string>

#include "project/agents.h"
#include "project/expressions.h"

namespace ganglion::project {

// Reports each mention that one of the agents may not read. Keys that aren't known from the file are left to
// the run.
void check_state_access(std::span<const StateMention> mentions, const std::set<std::string>& readers,
                        const Agents& agents, Diagnostics& diagnostics);

}  // namespace ganglion::project

#pragma once

// What an agent or step says about other agents: its fallback chain, a router's targets, and who of them all
// may come to see a task's input.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "project/agents.h"
#include "project/fields.h"

namespace ganglion::project {

// The name of an agent. Reports one that doesn't exist, and returns nothing then.
std::optional<std::string> read_agent_name(const Field& field, const Agents& agents,
                                           Diagnostics& diagnostics);

// A list of agents and `cache`. `whose` is the agent that comes before the chain; empty where that is not
// known.
std::vector<std::string> read_fallback(const Field& field, std::string_view whose, const Agents& agents,
                                       Diagnostics& diagnostics);

struct RouterFields {
  std::optional<Field> rules, classifier, otherwise;
};
RouterAgent read_router(const Field& owner, const RouterFields& fields, const Agents& agents,
                        Diagnostics& diagnostics);

// Every agent that may be given a task of `agent`. `fallback` is the step's own chain, if it has one.
std::set<std::string> performers_of(const std::string& agent,
                                    const std::optional<std::vector<std::string>>& fallback,
                                    const Agents& agents);

}  // namespace ganglion::project

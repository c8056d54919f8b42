#pragma once

// Who is asked for a task, one after another: the cache, the agent, its fallbacks. And whom a router hands a
// task on to.

#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "core/event.h"
#include "core/workflow.h"

namespace ganglion {

class Run;

struct Link {
  TaskRole role = TaskRole::work;
  std::string agent;  // of the role work
};

// `agent` is the one that performs, after routing. At least one link.
std::vector<Link> chain_of(const StepDefinition& step, const AgentDefinition& agent);

// Of a task that is under way: from the agent that the step names, an expression chose or a router went to.
// Empty where no agent is called.
std::vector<Link> chain_of(const Run& run, StepIndex step, ItemIndex item);

// Everybody who may come to see the input of a call of this agent: itself, whom it routes to, and who is
// asked when they fail.
std::vector<const AgentDefinition*> readers_of(const Project& project, const StepDefinition& step,
                                               const AgentDefinition& agent);

// Whether a successful output of the step is worth keeping, and for how long.
std::optional<Duration> cache_ttl(const StepDefinition& step, const std::vector<Link>& chain);

// What rules match against: a text itself, else all texts in the value, one a line.
std::string text_of(const Payload& input);

struct Route {
  std::string to;
  RoutedBy by;
  std::string reason;
};

// The first rule that matches.
std::optional<Route> route_by_rule(const RouterAgent& router, const Payload& input);
// What the classifier's answer names, if it is one of the router's targets.
std::optional<Route> route_by_answer(const RouterAgent& router, const Payload& answer);
std::vector<std::string> targets_of(const RouterAgent& router);
// What a classifier is asked: {input, agents}.
Payload question_of(const RouterAgent& router, const Payload& input);

}  // namespace ganglion

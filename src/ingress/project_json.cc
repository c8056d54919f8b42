#include "ingress/project_json.h"

#include "base/json_text.h"
#include "base/overloaded.h"
#include "project/triggers.h"

namespace ganglion::ingress {
namespace {

template <typename Items, typename ToJson>
std::string list_of(const Items& items, ToJson to_json) {
  std::string list = "[";
  for (const auto& item : items) {
    if (list.size() > 1) list += ',';
    list += to_json(item);
  }
  return list + "]";
}

std::string quoted(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

void add_duration(JsonObject& object, std::string_view name, const std::optional<Duration>& duration) {
  if (duration) {
    object.add(name, format_duration(*duration));
  } else {
    object.add_raw(name, "null");
  }
}

std::string retry_json(const RetryPolicy& retry) {
  JsonObject object;
  object.add("max_attempts", std::int64_t{retry.max_attempts});
  object.add("backoff", retry.backoff == Backoff::constant ? "constant" : "exponential");
  object.add("initial", format_duration(retry.initial)).add("max", format_duration(retry.max));
  object.add_number("jitter", retry.jitter);
  return object.finish();
}

std::string names_json(const std::vector<std::string>& names) {
  return list_of(names, quoted);
}

std::string rate_json(const Rate& rate) {
  const char* unit = rate.per == Duration(1'000) ? "s" : rate.per == Duration(60'000) ? "m" : "h";
  return quoted(std::to_string(rate.count) + "/" + unit);
}

std::string budget_json(const Budget& budget) {
  JsonObject object;
  if (budget.tokens) object.add_number("tokens", *budget.tokens);
  if (budget.usd) object.add_number("usd", *budget.usd);
  return object.finish();
}

std::string state_json(const StateAccess& state) {
  JsonObject object;
  object.add_raw("read", names_json(state.read)).add_raw("write", names_json(state.write));
  return object.finish();
}

// The key in the file under which the action stands.
std::string_view kind_of(const StepAction& action) {
  return std::visit(
      Overloaded{[](const AgentCall&) { return "agent"; }, [](const SubWorkflow&) { return "workflow"; },
                 [](const Approval&) { return "approve"; }, [](const WaitFor&) { return "wait_for"; },
                 [](const Publish&) { return "publish"; }, [](const SetState&) { return "set"; },
                 [](const Transform&) { return "transform"; }, [](const Sleep&) { return "sleep"; }},
      action);
}

// What the action names, besides its kind; an agent that an expression chooses has no name.
void add_target(JsonObject& object, const StepAction& action) {
  const auto* call = std::get_if<AgentCall>(&action);
  object.add_raw("agent", call && !call->agent.empty() ? quoted(call->agent) : "null");
  std::visit(Overloaded{[](const AgentCall&) {}, [](const Transform&) {}, [](const Sleep&) {},
                        [&](const SubWorkflow& sub) { object.add("workflow", sub.workflow); },
                        [&](const Approval& approval) { object.add_raw("by", names_json(approval.by)); },
                        [&](const WaitFor& wait) { object.add("event", wait.event); },
                        [&](const Publish& publish) { object.add("topic", publish.topic); },
                        [&](const SetState& set) {
                          object.add_raw("keys", list_of(set.writes, [](const SetState::Write& write) {
                                           return quoted(write.key);
                                         }));
                        }},
             action);
}

const char* word_of(OnFailure on_failure) {
  switch (on_failure) {
    case OnFailure::fail_run:
      return "fail";
    case OnFailure::continue_run:
      return "continue";
    case OnFailure::pause_run:
      return "pause";
  }
  return "";
}

// The step's own, else that of the agent that it names; null where neither is known from the file.
std::string retry_of(const Project& project, const StepDefinition& step) {
  if (step.retry) return retry_json(*step.retry);
  const auto* call = std::get_if<AgentCall>(&step.action);
  const auto agent = call ? project.agents.find(call->agent) : project.agents.end();
  return agent == project.agents.end() ? "null" : retry_json(agent->second.retry);
}

std::string step_json(const Project& project, const WorkflowDefinition& workflow,
                      const StepDefinition& step) {
  JsonObject object;
  object.add("name", step.name).add("kind", kind_of(step.action));
  add_target(object, step.action);
  object.add_raw("needs", list_of(step.needs,
                                  [&](StepIndex need) { return quoted(workflow.steps[need.value()].name); }));
  object.add("conditional", step.condition.has_value()).add("mapped", step.for_each.has_value());
  object.add("max_parallel", std::int64_t{step.max_parallel});
  object.add("repeated", step.until.has_value()).add("max_iterations", std::int64_t{step.max_iterations});
  add_duration(object, "timeout", step.timeout);
  object.add("on_failure", word_of(step.on_failure));
  object.add_raw("retry", retry_of(project, step));
  object.add_raw("fallback", step.fallback ? names_json(*step.fallback) : "null");
  object.add_raw("cache",
                 step.cache ? JsonObject().add("ttl", format_duration(step.cache->ttl)).finish() : "null");
  object.add_raw("priority", step.priority ? std::to_string(*step.priority) : "null");
  return object.finish();
}

const char* kind_of(const AgentBackend& backend) {
  return std::visit(
      Overloaded{[](const WorkerAgent&) { return "worker"; }, [](const ProcessAgent&) { return "process"; },
                 [](const HttpAgent&) { return "http"; }, [](const HumanAgent&) { return "human"; },
                 [](const RouterAgent&) { return "router"; }},
      backend);
}

// A person takes what time it takes, and a router hands on: neither has attempts to bound.
bool is_handed_out(const AgentBackend& backend) {
  return !std::holds_alternative<HumanAgent>(backend) && !std::holds_alternative<RouterAgent>(backend);
}

const char* breaker_of(const AgentDefinition& agent, const agents::AgentStatus& status) {
  if (!agent.breaker) return "none";
  switch (status.breaker.value_or(agents::BreakerState::closed)) {
    case agents::BreakerState::closed:
      return "closed";
    case agents::BreakerState::open:
      return "open";
    case agents::BreakerState::half_open:
      return "half_open";
  }
  return "none";
}

}  // namespace

std::string project_json(const Project& project) {
  JsonObject object;
  object.add("digest", project.digest);
  std::vector<std::string> workflows;
  for (const auto& [name, workflow] : project.workflows) {
    if (!project::is_reaction(name)) workflows.push_back(name);
  }
  object.add_raw("workflows", names_json(workflows));
  object.add_raw("agents", list_of(project.agents, [](const auto& entry) { return quoted(entry.first); }));
  return object.finish();
}

std::string workflow_json(const Project& project, const WorkflowDefinition& workflow) {
  JsonObject object;
  object.add("name", workflow.name).add("definition", project.digest);
  add_duration(object, "timeout", workflow.timeout);
  object.add_raw("budget", workflow.budget ? budget_json(*workflow.budget) : "null");
  object.add_raw("steps", list_of(workflow.steps, [&](const StepDefinition& step) {
                   return step_json(project, workflow, step);
                 }));
  return object.finish();
}

std::string agent_json(const AgentDefinition& agent, const agents::AgentStatus& status) {
  JsonObject object;
  object.add("name", agent.name).add("kind", kind_of(agent.backend));
  const bool attempts = is_handed_out(agent.backend);
  add_duration(object, "timeout", attempts ? std::optional(agent.timeout) : std::nullopt);
  object.add_raw("retry", attempts ? retry_json(agent.retry) : "null");
  object.add("queued", static_cast<std::int64_t>(status.queued));
  object.add("handed_out", static_cast<std::int64_t>(status.handed_out));
  object.add("waiting_polls", static_cast<std::int64_t>(status.waiting_polls));
  object.add("breaker", breaker_of(agent, status));
  object.add_raw("concurrency", agent.concurrency ? std::to_string(*agent.concurrency) : "null");
  object.add_raw("rate_limit", agent.rate_limit ? rate_json(*agent.rate_limit) : "null");
  add_duration(object, "idle_timeout", agent.idle_timeout);
  object.add_raw("fallback", names_json(agent.fallback));
  object.add_raw("budget", agent.budget ? budget_json(*agent.budget) : "null");
  object.add_raw("subscribes", names_json(agent.subscribes));
  object.add_raw("publishes", names_json(agent.publishes));
  object.add_raw("state", state_json(agent.state));
  object.add_raw("workers", list_of(status.workers, [](const agents::WorkerStatus& worker) {
                   JsonObject one;
                   one.add("worker", worker.worker).add("last_seen", format_rfc3339(worker.last_seen));
                   one.add("handed_out", static_cast<std::int64_t>(worker.handed_out));
                   return one.finish();
                 }));
  return object.finish();
}

}  // namespace ganglion::ingress

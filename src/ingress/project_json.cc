#include "ingress/project_json.h"

#include "base/json_text.h"
#include "base/overloaded.h"

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

std::string step_json(const WorkflowDefinition& workflow, const StepDefinition& step) {
  JsonObject object;
  object.add("name", step.name);
  std::visit(Overloaded{[&](const AgentCall& call) { object.add("kind", "agent").add("agent", call.agent); },
                        [&](const Transform&) { object.add("kind", "transform").add_raw("agent", "null"); },
                        [&](const Sleep&) { object.add("kind", "sleep").add_raw("agent", "null"); }},
             step.action);
  object.add_raw("needs", list_of(step.needs,
                                  [&](StepIndex need) { return quoted(workflow.steps[need.value()].name); }));
  object.add("conditional", step.condition.has_value()).add("mapped", step.for_each.has_value());
  object.add("max_parallel", std::int64_t{step.max_parallel});
  add_duration(object, "timeout", step.timeout);
  object.add("on_failure", step.on_failure == OnFailure::fail_run ? "fail" : "continue");
  object.add_raw("retry", retry_json(step.retry));
  return object.finish();
}

const char* kind_of(const AgentBackend& backend) {
  return std::visit(
      Overloaded{[](const WorkerAgent&) { return "worker"; }, [](const ProcessAgent&) { return "process"; },
                 [](const HttpAgent&) { return "http"; }},
      backend);
}

}  // namespace

std::string project_json(const Project& project) {
  JsonObject object;
  object.add("digest", project.digest);
  object.add_raw("workflows",
                 list_of(project.workflows, [](const auto& entry) { return quoted(entry.first); }));
  object.add_raw("agents", list_of(project.agents, [](const auto& entry) { return quoted(entry.first); }));
  return object.finish();
}

std::string workflow_json(const Project& project, const WorkflowDefinition& workflow) {
  JsonObject object;
  object.add("name", workflow.name).add("definition", project.digest);
  add_duration(object, "timeout", workflow.timeout);
  object.add_raw("steps", list_of(workflow.steps,
                                  [&](const StepDefinition& step) { return step_json(workflow, step); }));
  return object.finish();
}

std::string agent_json(const AgentDefinition& agent, const agents::AgentStatus& status) {
  JsonObject object;
  object.add("name", agent.name).add("kind", kind_of(agent.backend));
  object.add("timeout", format_duration(agent.timeout)).add_raw("retry", retry_json(agent.retry));
  object.add("queued", static_cast<std::int64_t>(status.queued));
  object.add("handed_out", static_cast<std::int64_t>(status.handed_out));
  object.add("waiting_polls", static_cast<std::int64_t>(status.waiting_polls));
  // There are no circuit breakers yet: nothing keeps a task from its agent.
  object.add("breaker", "none");
  object.add_raw("workers", list_of(status.workers, [](const agents::WorkerStatus& worker) {
                   JsonObject one;
                   one.add("worker", worker.worker).add("last_seen", format_rfc3339(worker.last_seen));
                   one.add("handed_out", static_cast<std::int64_t>(worker.handed_out));
                   return one.finish();
                 }));
  return object.finish();
}

}  // namespace ganglion::ingress

// A project file from anybody: it is a project or a list of errors that point into it, and never more. What
// is a project names nothing that it doesn't have, can be drawn, and says the same when it is read again.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/topic.h"
#include "project/graph.h"
#include "project/project.h"

namespace {

using namespace ganglion;

void must(bool holds) {
  if (!holds) std::abort();
}

bool is_router(const Project& project, const std::string& agent) {
  return std::holds_alternative<RouterAgent>(project.agents.at(agent).backend);
}

void check_chain(const Project& project, const std::vector<std::string>& chain, std::string_view first) {
  must(chain.size() <= kMaxFallbacks);
  for (const std::string& link : chain) {
    must(link != first);
    must(link == kCacheFallback || !is_router(project, link));
  }
}

void check_agent(const Project& project, const AgentDefinition& agent) {
  check_chain(project, agent.fallback, agent.name);
  must(std::ranges::all_of(agent.subscribes, is_topic_pattern));
  must(agent.subscribes.empty() || project.workflows.contains(reaction_name(agent.name)));
  const auto* router = std::get_if<RouterAgent>(&agent.backend);
  if (router == nullptr) return;
  must(!router->rules.empty() || router->classifier);
  for (const RouterAgent::Rule& rule : router->rules) must(!is_router(project, rule.to));
  if (router->otherwise) must(!is_router(project, *router->otherwise));
  if (router->classifier) must(!is_router(project, *router->classifier));
}

void check_step(const Project& project, const WorkflowDefinition& workflow, StepIndex index) {
  const StepDefinition& step = workflow.steps[index.value()];
  must(std::ranges::is_sorted(step.needs));
  must(std::ranges::find(step.needs, index) == step.needs.end());
  must(step.max_iterations >= 1 && step.max_iterations <= kMaxIterations);
  std::string agent;
  if (const auto* call = std::get_if<AgentCall>(&step.action)) {
    agent = call->agent;
    must(agent.empty() ? !call->choice.is_literal() : project.agents.contains(agent));
  }
  if (step.fallback) check_chain(project, *step.fallback, agent);
  const auto* sub = std::get_if<SubWorkflow>(&step.action);
  if (sub != nullptr) must(project.workflows.contains(sub->workflow));
  const auto* publish = std::get_if<Publish>(&step.action);
  if (publish != nullptr) must(is_topic(publish->topic));
}

void check_project(const Project& project) {
  for (const auto& [name, agent] : project.agents) check_agent(project, agent);
  for (const auto& [name, workflow] : project.workflows) {
    must(!project::graph(workflow).empty() && !project::mermaid(workflow).empty());
    for (std::uint32_t i = 0; i < workflow.steps.size(); ++i) check_step(project, workflow, StepIndex(i));
  }
  for (const Trigger& trigger : project.triggers) must(project.workflows.contains(trigger.workflow));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ganglion::project;
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  const Loaded project = parse(source, "ganglion.yaml");
  if (!project) {
    must(!project.error().empty() && project.error().size() <= kMaxDiagnostics + 1);
    for (const Diagnostic& diagnostic : project.error()) {
      must(!diagnostic.message.empty() && diagnostic.line >= 0 && diagnostic.column >= 0);
      must(diagnostic.text().find('\n') == std::string::npos);
    }
    return 0;
  }
  check_project(**project);
  const Loaded again = parse((*project)->source, "ganglion.yaml");
  must(again && (*again)->digest == (*project)->digest);
  return 0;
}

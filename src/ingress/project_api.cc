#include "ingress/project_api.h"

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agents/pool.h"
#include "coordinator/definitions.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/http/utf8.h"
#include "ingress/page.h"
#include "ingress/problems.h"
#include "ingress/project_impact.h"
#include "ingress/project_json.h"
#include "ingress/query.h"
#include "project/project.h"
#include "project/suggestion.h"
#include "project/triggers.h"

namespace ganglion::ingress {
namespace {

http::Problem no_project() {
  return not_found("there is no project yet: PUT /v1/project");
}

http::Problem to_problem(const std::vector<project::Diagnostic>& diagnostics) {
  http::Problem problem{.status = 422, .code = "invalid", .detail = diagnostics.front().text()};
  if (diagnostics.size() > 1) problem.detail += " (and " + std::to_string(diagnostics.size() - 1) + " more)";
  for (const project::Diagnostic& diagnostic : diagnostics) {
    problem.errors.push_back({diagnostic.path, diagnostic.message, diagnostic.line, diagnostic.column});
  }
  return problem;
}

// One page of a map by name; the cursor is the last name of the page before.
template <typename Value, typename ToJson>
void answer_with_page(const std::map<std::string, Value>& all, const http::Request& request,
                      http::Responder responder, ToJson to_json) {
  const http::Target target = query_of(request.target());
  const auto limit = limit_of(target);
  if (!limit) return responder.fail(limit.error());
  const std::string cursor(target.parameter("cursor").value_or(""));
  auto next = cursor.empty() ? all.begin() : all.upper_bound(cursor);
  Page page;
  std::string last;
  for (std::uint32_t count = 0; next != all.end() && count < *limit; ++next) {
    if (project::is_reaction(next->first)) continue;
    page.add(to_json(next->second));
    last = next->first;
    ++count;
  }
  while (next != all.end() && project::is_reaction(next->first)) ++next;
  responder.respond(std::move(page).answer(next == all.end() ? std::nullopt : std::optional(last)));
}

template <typename Value>
http::Problem unknown(const char* what, const std::string& name, const std::map<std::string, Value>& all) {
  std::vector<std::string> known;
  for (const auto& [key, value] : all) {
    if (!project::is_reaction(key)) known.push_back(key);
  }
  return not_found("no " + std::string(what) + " \"" + name + "\"" + project::did_you_mean(name, known));
}

bool wants_json(const http::Request& request) {
  return request.header("accept").value_or("").starts_with("application/json");
}

http::Response show_project(const Project& project, const http::Request& request) {
  http::Response response{200, "text/yaml; charset=utf-8", {}, project.source};
  if (wants_json(request)) response = http::Response::json(200, project_json(project));
  response.headers.emplace_back("ETag", "\"" + project.digest + "\"");
  return response;
}

}  // namespace

void ProjectApi::register_routes(http::Router& router) {
  const auto add = [&](http::Method method, const char* path,
                       void (ProjectApi::*handle)(const http::Request&, http::Responder)) {
    router.add(method, path, [this, handle](const http::Request& request, http::Responder responder) {
      (this->*handle)(request, std::move(responder));
    });
  };
  add(http::Method::put, "/v1/project", &ProjectApi::put);
  add(http::Method::get, "/v1/project", &ProjectApi::get);
  add(http::Method::get, "/v1/workflows", &ProjectApi::list_workflows);
  add(http::Method::get, "/v1/workflows/{name}", &ProjectApi::show_workflow);
  add(http::Method::get, "/v1/agents", &ProjectApi::list_agents);
  add(http::Method::get, "/v1/agents/{name}", &ProjectApi::show_agent);
}

void ProjectApi::put(const http::Request& request, http::Responder responder) {
  if (!has_media_type(request, {"text/yaml", "application/yaml", "application/x-yaml", "text/x-yaml"})) {
    return responder.fail({.status = 415,
                           .code = "unsupported_media_type",
                           .detail = "send the project file with Content-Type: text/yaml"});
  }
  if (request.body.size() > project::kMaxProjectBytes) {
    return responder.fail(
        {.status = 413,
         .code = "too_large",
         .detail = "a project file has at most " + std::to_string(project::kMaxProjectBytes) + " bytes"});
  }
  auto parsed = project::parse(request.body, "ganglion.yaml");
  if (!parsed) return responder.fail(to_problem(parsed.error()));
  const http::Target target = query_of(request.target());
  const auto dry_run = target.parameter("dry_run");
  if (dry_run && *dry_run != "true" && *dry_run != "false") {
    return responder.fail(invalid_parameter("dry_run", "must be true or false"));
  }
  auto assessed = [this, project = *parsed, dry = dry_run == "true",
                   responder = std::move(responder)](Result<ProjectImpact> impact) mutable {
    if (!impact) return responder.fail(problem_of(impact.error()));
    const std::string answer = put_project_json(*project, *impact);
    if (dry) return responder.respond(http::Response::json(200, answer));
    auto activated = [answer, responder = std::move(responder)](Result<void> done) mutable {
      if (!done) return responder.fail(problem_of(done.error()));
      responder.respond(http::Response::json(200, answer));
    };
    dependencies_.definitions.activate(std::move(project), std::move(activated));
  };
  assess_project(dependencies_, *parsed, std::move(assessed));
}

void ProjectApi::get(const http::Request& request, http::Responder responder) {
  const auto active = dependencies_.definitions.active();
  const http::Target target = query_of(request.target());
  const auto digest = target.parameter("digest");
  if (!digest) {
    if (!active) return responder.fail(no_project());
    return responder.respond(show_project(*active, request));
  }
  const auto held = std::make_shared<http::Request>(request);
  auto loaded = [held,
                 responder = std::move(responder)](Result<std::shared_ptr<const Project>> project) mutable {
    if (!project) return responder.fail(problem_of(project.error()));
    responder.respond(show_project(**project, *held));
  };
  dependencies_.definitions.load(std::string(*digest), std::move(loaded));
}

void ProjectApi::list_workflows(const http::Request& request, http::Responder responder) {
  const auto project = dependencies_.definitions.active();
  answer_with_page(project ? project->workflows : decltype(project->workflows){}, request,
                   std::move(responder),
                   [&](const WorkflowDefinition& workflow) { return workflow_json(*project, workflow); });
}

void ProjectApi::show_workflow(const http::Request& request, http::Responder responder) {
  const auto project = dependencies_.definitions.active();
  if (!project) return responder.fail(no_project());
  const auto found = project->workflows.find(request.parameters[0]);
  if (found == project->workflows.end() || project::is_reaction(found->first)) {
    return responder.fail(unknown("workflow", request.parameters[0], project->workflows));
  }
  responder.respond(http::Response::json(200, workflow_json(*project, found->second)));
}

void ProjectApi::list_agents(const http::Request& request, http::Responder responder) {
  const auto project = dependencies_.definitions.active();
  answer_with_page(
      project ? project->agents : decltype(project->agents){}, request, std::move(responder),
      [&](const AgentDefinition& agent) { return agent_json(agent, dependencies_.pool.status(agent.name)); });
}

void ProjectApi::show_agent(const http::Request& request, http::Responder responder) {
  const auto project = dependencies_.definitions.active();
  if (!project) return responder.fail(no_project());
  const auto found = project->agents.find(request.parameters[0]);
  if (found == project->agents.end()) {
    return responder.fail(unknown("agent", request.parameters[0], project->agents));
  }
  const agents::AgentStatus status = dependencies_.pool.status(found->first);
  responder.respond(http::Response::json(200, agent_json(found->second, status)));
}

}  // namespace ganglion::ingress

#include "ingress/project_impact.h"

#include <map>
#include <utility>

#include "base/json_text.h"
#include "coordinator/coordinator.h"
#include "coordinator/definitions.h"
#include "ingress/project_json.h"
#include "project/yaml.h"

namespace ganglion::ingress {
namespace {

// A node as one text: the same for the same values, wherever and however they are written.
void write_canonical(const project::YamlNode& node, std::string& text) {
  switch (node.kind) {
    case project::YamlKind::list:
      text += '[';
      for (const project::YamlNode& item : node.items) {
        write_canonical(item, text);
        text += ',';
      }
      text += ']';
      return;
    case project::YamlKind::map: {
      // In the order of the file: the order of steps is part of a workflow.
      text += '{';
      for (const project::YamlEntry& entry : node.entries) {
        append_json_string(text, entry.key);
        text += ':';
        write_canonical(entry.value, text);
        text += ',';
      }
      text += '}';
      return;
    }
    case project::YamlKind::null:
    case project::YamlKind::boolean:
    case project::YamlKind::integer:
    case project::YamlKind::number:
    case project::YamlKind::text:
      text += std::to_string(static_cast<int>(node.kind));
      append_json_string(text, node.text);
      return;
  }
}

std::string canonical(const project::YamlEntry* entry) {
  std::string text;
  if (entry != nullptr) write_canonical(entry->value, text);
  return text;
}

std::string said_of(const project::YamlDocument& file, std::string_view section, const std::string& name) {
  if (!file.root) return {};
  const project::YamlEntry* entries = file.root->find(section);
  return entries == nullptr ? std::string() : canonical(entries->value.find(name));
}

// Whom a workflow names: what it calls by an expression may be anybody.
bool may_call(const WorkflowDefinition& workflow, const std::string& agent) {
  for (const StepDefinition& step : workflow.steps) {
    const auto* call = std::get_if<AgentCall>(&step.action);
    if (call != nullptr && (call->agent.empty() || call->agent == agent)) return true;
  }
  return false;
}

struct Assessing {
  Dependencies dependencies;
  std::shared_ptr<const Project> next;
  std::move_only_function<void(Result<ProjectImpact>)> done;
  std::vector<OpenRuns> open;
  std::size_t at = 0;
  ProjectImpact impact = {};

  static void go_on(const std::shared_ptr<Assessing>& self) {
    while (self->at < self->open.size() && self->open[self->at].definition == self->next->digest) ++self->at;
    if (self->at == self->open.size()) return self->done(std::move(self->impact));
    const std::string digest = self->open[self->at].definition;
    self->dependencies.definitions.load(digest, [self](Result<std::shared_ptr<const Project>> project) {
      if (!project && project.error().code == "unavailable")
        return self->done(std::unexpected(project.error()));
      self->judge(project ? project->get() : nullptr);
      ++self->at;
      go_on(self);
    });
  }

  // Null: a file that this version can't read is another one.
  void judge(const Project* project) {
    const OpenRuns& runs = open[at];
    const bool removed = !next->workflows.contains(runs.workflow);
    if (!removed && project != nullptr && same_workflow(*project, *next, runs.workflow)) return;
    impact.affected.push_back({runs.workflow, runs.definition, runs.runs, removed});
  }
};

}  // namespace

bool same_workflow(const Project& a, const Project& b, const std::string& workflow) {
  const auto mine = a.workflows.find(workflow);
  const auto other = b.workflows.find(workflow);
  if (mine == a.workflows.end() || other == b.workflows.end()) return false;
  const project::YamlDocument file = project::parse_yaml(a.source);
  const project::YamlDocument other_file = project::parse_yaml(b.source);
  if (said_of(file, "workflows", workflow) != said_of(other_file, "workflows", workflow)) return false;
  for (const auto& [name, agent] : a.agents) {
    if (!may_call(mine->second, name)) continue;
    if (said_of(file, "agents", name) != said_of(other_file, "agents", name)) return false;
  }
  return canonical(file.root ? file.root->find("defaults") : nullptr) ==
         canonical(other_file.root ? other_file.root->find("defaults") : nullptr);
}

void assess_project(const Dependencies& dependencies, std::shared_ptr<const Project> next,
                    std::move_only_function<void(Result<ProjectImpact>)> done) {
  auto assessing = std::make_shared<Assessing>(dependencies, std::move(next), std::move(done),
                                               dependencies.coordinator.open_runs_by_definition());
  assessing->impact.open_runs = dependencies.coordinator.open_runs();
  Assessing::go_on(assessing);
}

std::string put_project_json(const Project& project, const ProjectImpact& impact) {
  std::string affected = "[";
  for (const AffectedRuns& runs : impact.affected) {
    JsonObject object;
    object.add("workflow", runs.workflow).add("definition", runs.definition);
    object.add("runs", static_cast<std::int64_t>(runs.runs))
        .add("change", runs.removed ? "removed" : "changed");
    if (affected.size() > 1) affected += ',';
    affected += object.finish();
  }
  JsonObject open;
  open.add("total", static_cast<std::int64_t>(impact.open_runs)).add_raw("affected", affected + "]");
  std::string json = project_json(project);
  json.pop_back();
  return json + ",\"open_runs\":" + open.finish() + "}";
}

}  // namespace ganglion::ingress

#include "project/workflows.h"

#include <algorithm>
#include <vector>

#include "project/expressions.h"
#include "project/names.h"
#include "project/policies.h"
#include "project/steps.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

// Finds what can't be ordered by walking the graph depth first. A cycle is reported once, from the step of it
// that the walk met first, where that step names the next one.
class CycleSearch {
 public:
  CycleSearch(const std::vector<ReadStep>& steps, Diagnostics& diagnostics)
      : steps_(steps), diagnostics_(diagnostics), marks_(steps.size(), Mark::unseen) {}

  void run() {
    for (std::uint32_t i = 0; i < steps_.size() && reported_ < kMaxCycles; ++i) walk(i);
  }

 private:
  static constexpr std::size_t kMaxCycles = 10;  // of one workflow; a dense graph has no end of them

  enum class Mark { unseen, on_path, done };

  // The depth is bounded by kMaxSteps.
  void walk(std::uint32_t step) {
    if (marks_[step] != Mark::unseen) return;
    marks_[step] = Mark::on_path;
    path_.push_back(step);
    for (const auto& [needed, position] : steps_[step].needs) {
      if (marks_[needed.value()] == Mark::on_path && reported_ < kMaxCycles) report(needed.value());
      walk(needed.value());
    }
    path_.pop_back();
    marks_[step] = Mark::done;
  }

  void report(std::uint32_t first) {
    ++reported_;
    const auto begin = std::ranges::find(path_, first);
    std::string cycle;
    for (auto each = begin; each != path_.end(); ++each) cycle += name(*each) + " → ";
    cycle += name(first);
    const std::uint32_t next = begin + 1 == path_.end() ? first : *(begin + 1);
    diagnostics_.add(steps_[first].needs.at(StepIndex(next)), "steps." + name(first),
                     "a cycle, in which each step needs the next: " + cycle);
  }

  const std::string& name(std::uint32_t step) const { return steps_[step].definition.name; }

  const std::vector<ReadStep>& steps_;
  Diagnostics& diagnostics_;
  std::vector<Mark> marks_;
  std::vector<std::uint32_t> path_;
  std::size_t reported_ = 0;
};

std::vector<StepDefinition> connect(std::vector<ReadStep> read) {
  std::vector<StepDefinition> steps;
  steps.reserve(read.size());
  for (ReadStep& each : read) {
    for (const auto& [needed, position] : each.needs) each.definition.needs.push_back(needed);
    steps.push_back(std::move(each.definition));
  }
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    for (const StepIndex needed : steps[i].needs) steps[needed.value()].dependents.push_back(StepIndex(i));
  }
  return steps;
}

// Whom a call reaches in the end, by routes and fallbacks, is not looked at: any agent that may write will
// do.
bool may_write_state(const StepDefinition& step, const Agents& agents) {
  if (std::holds_alternative<SetState>(step.action)) return true;
  return std::holds_alternative<AgentCall>(step.action) && std::ranges::any_of(agents, [](const auto& agent) {
           return agent.second && !agent.second->state.write.empty();
         });
}

// `field` is the key `steps`; paths in a step begin there.
void read_steps(const Field& field, const WorkflowSurroundings& around, WorkflowDefinition& workflow,
                Diagnostics& diagnostics) {
  auto all = Fields({"steps", field.position, field.value}, diagnostics).take_all();
  if (all.empty()) {
    if (field.value->kind == YamlKind::map) {
      diagnostics.add(field.position, field.path, "a workflow needs at least one step");
    }
    return;
  }
  if (all.size() > kMaxSteps) {
    diagnostics.add(
        field.position, field.path,
        std::to_string(all.size()) + " steps; a workflow has at most " + std::to_string(kMaxSteps));
    return;
  }
  for (std::uint32_t i = 0; i < all.size(); ++i) workflow.positions.emplace(all[i].first, StepIndex(i));
  const StepSurroundings surroundings{workflow.positions, around.agents, around.names, around.topics,
                                      around.defaults};
  std::vector<ReadStep> steps;
  for (const auto& [name, step] : all) {
    steps.push_back(read_step(name, step, surroundings, diagnostics));
    workflow.reads_state |=
        steps.back().reads_state || may_write_state(steps.back().definition, around.agents);
  }
  CycleSearch(steps, diagnostics).run();
  workflow.steps = connect(std::move(steps));
}

WorkflowDefinition read_workflow(const std::string& name, const Field& field,
                                 const WorkflowSurroundings& around, Diagnostics& diagnostics) {
  WorkflowDefinition workflow;
  workflow.name = name;
  check_name(name, field, diagnostics);
  Fields fields(field, diagnostics);
  if (field.value->kind != YamlKind::map) return workflow;
  if (const auto input = fields.take("input")) workflow.input = read_schema(*input, diagnostics);
  if (const auto timeout = fields.take("timeout")) workflow.timeout = read_timeout(*timeout, diagnostics);
  if (const auto budget = fields.take("budget")) workflow.budget = read_budget(*budget, diagnostics);
  if (const auto steps = fields.take("steps")) {
    read_steps(*steps, around, workflow, diagnostics);
  } else {
    diagnostics.add(field.position, field.path, "a workflow needs \"steps\"");
  }
  if (const auto output = fields.take("output")) {
    Expressions expressions(workflow.positions, std::nullopt, diagnostics);
    workflow.output = expressions.value(*output, {});
    workflow.reads_state |= !expressions.state().empty();
  }
  fields.finish();
  return workflow;
}

}  // namespace

WorkflowNames workflow_names(const Field& field) {
  WorkflowNames names;
  for (const YamlEntry& entry : field.value->entries) names.emplace(entry.key, entry.position);
  return names;
}

std::map<std::string, WorkflowDefinition> read_workflows(const Field& field,
                                                         const WorkflowSurroundings& around,
                                                         Diagnostics& diagnostics) {
  std::map<std::string, WorkflowDefinition> workflows;
  for (const auto& [name, workflow] : Fields(field, diagnostics).take_all()) {
    workflows.emplace(name, read_workflow(name, workflow, around, diagnostics));
  }
  return workflows;
}

}  // namespace ganglion::project

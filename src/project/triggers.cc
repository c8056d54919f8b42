#include "project/triggers.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "base/assert.h"
#include "project/expressions.h"
#include "project/names.h"
#include "project/schedule.h"

namespace ganglion::project {
namespace {

// An expression that is known to be good.
expr::Template expression(std::string_view text) {
  auto compiled = expr::Template::text(text);
  GANGLION_ASSERT(compiled.has_value());
  return std::move(*compiled);
}

MissedSlots read_missed(const Field& field, Diagnostics& diagnostics) {
  const std::string_view choice = field.value->text;
  if (choice == "skip") return MissedSlots::skip;
  if (choice == "all") return MissedSlots::all;
  if (choice != "latest") {
    diagnostics.add(field.position, field.path,
                    "expected skip, latest or all, got " + describe(*field.value));
  }
  return MissedSlots::latest;
}

class TriggerReader {
 public:
  TriggerReader(const Field& field, const WorkflowNames& workflows, Diagnostics& diagnostics)
      : workflows_(workflows),
        diagnostics_(diagnostics),
        fields_(field, diagnostics),
        expressions_(no_steps_, std::nullopt, diagnostics) {}

  Trigger run() {
    Trigger trigger;
    if (fields_.owner().value->kind != YamlKind::map) return trigger;
    const auto on = fields_.take("on");
    const auto cron = fields_.take("cron");
    if (on.has_value() == cron.has_value()) {
      const Field& owner = fields_.owner();
      diagnostics_.add(owner.position, owner.path, "a trigger has either \"on\" or \"cron\"");
    }
    if (cron && !on) {
      trigger.source = read_cron(*cron);
    } else {
      trigger.source = read_event(on, cron.has_value());
    }
    read_workflow(trigger);
    const Names names{.of_run = false, .event = cron && !on ? EventName::slot : EventName::published};
    const auto input = fields_.take("input");
    trigger.input = input ? expressions_.value(*input, names) : expression("${{ event }}");
    fields_.finish();
    return trigger;
  }

 private:
  EventTrigger read_event(const std::optional<Field>& on, bool also_cron) {
    EventTrigger event;
    if (on) event.on = read_pattern(*on, diagnostics_).value_or("");
    if (const auto where = fields_.take("where")) {
      event.where = expressions_.condition(*where, {.of_run = false, .event = EventName::published});
    }
    if (also_cron) {
      fields_.allow({"timezone", "missed"});
    } else {
      refuse("timezone", "cron");
      refuse("missed", "cron");
    }
    return event;
  }

  CronTrigger read_cron(const Field& field) {
    CronTrigger cron;
    if (auto text = read_text(field, diagnostics_)) {
      report(field, check_cron(*text));
      cron.cron = std::move(*text);
    }
    if (const auto zone = fields_.take("timezone")) {
      if (auto text = read_text(*zone, diagnostics_)) {
        report(*zone, check_timezone(*text));
        cron.timezone = std::move(*text);
      }
    }
    if (const auto missed = fields_.take("missed")) cron.missed = read_missed(*missed, diagnostics_);
    refuse("where", "on");
    return cron;
  }

  void read_workflow(Trigger& trigger) {
    const auto field = fields_.take("workflow");
    if (!field) {
      const Field& owner = fields_.owner();
      diagnostics_.add(owner.position, owner.path, "a trigger needs \"workflow\"");
      return;
    }
    trigger.workflow = read_workflow_name(*field, workflows_, diagnostics_).value_or("");
  }

  void report(const Field& field, std::optional<std::string> problem) {
    if (problem) diagnostics_.add(field.position, field.path, std::move(*problem));
  }

  void refuse(std::string_view key, std::string_view whose) {
    if (const auto field = fields_.take(key)) {
      diagnostics_.add(
          field->position, field->path,
          "\"" + std::string(key) + "\" is a key of triggers with \"" + std::string(whose) + "\"");
    }
  }

  const StepPositions no_steps_;
  const WorkflowNames& workflows_;
  Diagnostics& diagnostics_;
  Fields fields_;
  Expressions expressions_;
};

// Of the agent whose name it bears, as a step can be called.
std::string step_name(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

WorkflowDefinition reaction(const AgentDefinition& agent) {
  StepDefinition step{.name = step_name(agent.name),
                      .action = AgentCall{.agent = agent.name, .input = expression("${{ input }}")},
                      .needs = {},
                      .dependents = {},
                      .condition = {},
                      .for_each = {}};
  WorkflowDefinition workflow;
  workflow.name = reaction_name(agent.name);
  workflow.positions.emplace(step.name, StepIndex(0));
  workflow.steps.push_back(std::move(step));
  return workflow;
}

}  // namespace

std::vector<Trigger> read_triggers(const Field& field, const WorkflowNames& workflows,
                                   Diagnostics& diagnostics) {
  std::vector<Trigger> triggers;
  const auto& items = field.value->items;
  if (field.value->kind != YamlKind::list) {
    diagnostics.add(field.position, field.path,
                    "expected a list of triggers, such as [{on: file.uploaded, workflow: scan}], got " +
                        describe(*field.value));
  } else if (items.size() > kMaxTriggers) {
    diagnostics.add(
        field.position, field.path,
        std::to_string(items.size()) + " triggers; a project has at most " + std::to_string(kMaxTriggers));
  } else {
    for (std::size_t i = 0; i < items.size(); ++i) {
      triggers.push_back(TriggerReader(field.item(i), workflows, diagnostics).run());
    }
  }
  return triggers;
}

void add_reactions(Project& project) {
  for (const auto& [name, agent] : project.agents) {
    if (!agent.subscribes.empty()) project.workflows.emplace(reaction_name(name), reaction(agent));
  }
}

bool is_reaction(std::string_view workflow) {
  return workflow.starts_with('@');
}

}  // namespace ganglion::project

#include "project/graph.h"

#include <algorithm>
#include <vector>

#include "base/overloaded.h"

namespace ganglion::project {
namespace {

constexpr std::size_t kShownExpression = 40;  // longer ones would push the arrows off the screen
constexpr std::size_t kShownNames = 3;

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kShownNames; ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShownNames) out += " and " + std::to_string(names.size() - kShownNames) + " more";
  return out;
}

std::string shown(const expr::Program& program) {
  const std::string& source = program.source();
  const std::size_t first = source.find_first_not_of(' ');
  if (first == std::string::npos || source.size() > kShownExpression) return "…";
  return source.substr(first, source.find_last_not_of(' ') - first + 1);
}

std::string writes_of(const SetState& set) {
  std::vector<std::string> keys;
  for (const SetState::Write& write : set.writes) keys.push_back(write.key);
  return listed(keys);
}

std::string action_of(const StepDefinition& step) {
  return std::visit(
      Overloaded{
          [](const AgentCall& call) { return "agent " + (call.agent.empty() ? "by choice" : call.agent); },
          [](const SubWorkflow& sub) { return "workflow " + sub.workflow; },
          [](const Approval& approval) {
            return approval.by.empty() ? std::string("approval") : "approval by " + listed(approval.by);
          },
          [](const WaitFor& wait) {
            return "wait for " + wait.event + (wait.where ? " where " + shown(*wait.where) : "");
          },
          [](const Publish& publish) { return "publish " + publish.topic; },
          [](const SetState& set) { return "set " + writes_of(set); },
          [](const Transform&) { return std::string("transform"); },
          [](const Sleep&) { return std::string("sleep"); },
      },
      step.action);
}

std::string description_of(const StepDefinition& step) {
  std::string out = action_of(step);
  if (step.for_each) {
    out += ", for each item";
    if (step.max_parallel > 0) out += " (" + std::to_string(step.max_parallel) + " at a time)";
  }
  if (step.condition) out += ", if " + shown(*step.condition);
  if (step.until) {
    out += ", until " + shown(*step.until) + ", at most " + std::to_string(step.max_iterations) +
           (step.max_iterations == 1 ? " time" : " times");
  }
  if (step.fallback && !step.fallback->empty()) out += ", else " + listed(*step.fallback);
  switch (step.on_failure) {
    case OnFailure::fail_run:
      break;
    case OnFailure::continue_run:
      out += ", may fail";
      break;
    case OnFailure::pause_run:
      out += ", pauses if it fails";
      break;
  }
  return out;
}

// One more than the highest level among the steps needed. The definitions have no cycle.
std::vector<std::size_t> levels_of(const WorkflowDefinition& workflow) {
  std::vector<std::size_t> levels(workflow.steps.size(), 1);
  std::vector<std::size_t> missing;
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < workflow.steps.size(); ++i) {
    missing.push_back(workflow.steps[i].needs.size());
    if (missing.back() == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const std::size_t step = ready.back();
    ready.pop_back();
    for (const StepIndex dependent : workflow.steps[step].dependents) {
      levels[dependent.value()] = std::max(levels[dependent.value()], levels[step] + 1);
      if (--missing[dependent.value()] == 0) ready.push_back(dependent.value());
    }
  }
  return levels;
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width) {
  const std::size_t characters = width_of(text);
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

std::string needs_of(const WorkflowDefinition& workflow, const StepDefinition& step) {
  std::string out;
  for (const StepIndex needed : step.needs) {
    out += (out.empty() ? "" : ", ") + workflow.steps[needed.value()].name;
  }
  return out;
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Mermaid's own quote and brackets would end a label.
std::string label(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"')
      out += "#quot;";
    else if (c == '<')
      out += "#lt;";
    else if (c == '>')
      out += "#gt;";
    else if (c == '\n')
      out += ' ';
    else
      out += c;
  }
  return out;
}

struct Shape {
  std::string_view open, close;
};

// Waiting is round, people slanted, a run inside another and a list double, a condition six-sided.
Shape shape_of(const StepDefinition& step) {
  constexpr Shape kRound{"([", "])"};
  const auto plain = [&]() -> Shape {
    if (step.condition) return {"{{", "}}"};
    if (step.for_each) return {"[[", "]]"};
    return {"[", "]"};
  };
  return std::visit(Overloaded{
                        [&](const AgentCall&) { return plain(); },
                        [](const SubWorkflow&) { return Shape{"[[", "]]"}; },
                        [](const Approval&) { return Shape{"[/", "/]"}; },
                        [&](const WaitFor&) { return kRound; },
                        [&](const Publish&) { return plain(); },
                        [&](const SetState&) { return plain(); },
                        [&](const Transform&) { return plain(); },
                        [&](const Sleep&) { return kRound; },
                    },
                    step.action);
}

}  // namespace

std::string graph(const WorkflowDefinition& workflow) {
  const auto levels = levels_of(workflow);
  const std::size_t last = levels.empty() ? 0 : *std::ranges::max_element(levels);
  std::size_t name_width = 0;
  std::size_t description_width = 0;
  for (const StepDefinition& step : workflow.steps) {
    name_width = std::max(name_width, width_of(step.name));
    if (!step.needs.empty()) description_width = std::max(description_width, width_of(description_of(step)));
  }
  const std::size_t number_width = std::to_string(last).size();
  std::string out = workflow.name + ": " + counted(workflow.steps.size(), "step") + " on " +
                    counted(last, "level") + "\n\n";
  for (std::size_t level = 1; level <= last; ++level) {
    if (level > 1) out += std::string(number_width + 4, ' ') + "│\n";
    const auto size = static_cast<std::size_t>(std::ranges::count(levels, level));
    std::size_t shown = 0;
    for (std::size_t i = 0; i < workflow.steps.size(); ++i) {
      if (levels[i] != level) continue;
      const StepDefinition& step = workflow.steps[i];
      ++shown;
      out += padded(shown == 1 ? std::to_string(level) : "", number_width) + "  ";
      out += size == 1 ? "─ " : shown == 1 ? "┬ " : shown == size ? "└ " : "├ ";
      out += padded(step.name, name_width) + "  ";
      const std::string needs = needs_of(workflow, step);
      out += needs.empty() ? description_of(step)
                           : padded(description_of(step), description_width) + "  ← " + needs;
      out += '\n';
    }
  }
  return out;
}

std::string mermaid(const WorkflowDefinition& workflow) {
  std::string out = "flowchart TD\n";
  for (const StepDefinition& step : workflow.steps) {
    const std::string text = "\"" + label(step.name + ": " + description_of(step)) + "\"";
    // A bare name could be a keyword of the notation ("end").
    const std::string id = "  step_" + step.name;
    const auto [open, close] = shape_of(step);
    out += id + std::string(open) + text + std::string(close) + "\n";
  }
  for (const StepDefinition& step : workflow.steps) {
    for (const StepIndex needed : step.needs) {
      out += "  step_" + workflow.steps[needed.value()].name + " --> step_" + step.name + "\n";
    }
  }
  return out;
}

}  // namespace ganglion::project

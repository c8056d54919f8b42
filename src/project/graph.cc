#include "project/graph.h"

#include <algorithm>
#include <vector>

namespace ganglion::project {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

std::string action_of(const StepDefinition& step) {
  return std::visit(Overloaded{
                        [](const AgentCall& call) { return "agent " + call.agent; },
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
  if (step.condition) {
    // Long conditions would push the arrows off the screen.
    const std::string& condition = step.condition->source();
    const std::size_t first = condition.find_first_not_of(' ');
    const bool fits = first != std::string::npos && condition.size() <= 40;
    out += fits ? ", if " + condition.substr(first, condition.find_last_not_of(' ') - first + 1) : ", if …";
  }
  if (step.on_failure == OnFailure::continue_run) out += ", may fail";
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
    if (std::holds_alternative<Sleep>(step.action))
      out += id + "([" + text + "])\n";
    else if (step.condition)
      out += id + "{{" + text + "}}\n";
    else if (step.for_each)
      out += id + "[[" + text + "]]\n";
    else
      out += id + "[" + text + "]\n";
  }
  for (const StepDefinition& step : workflow.steps) {
    for (const StepIndex needed : step.needs) {
      out += "  step_" + workflow.steps[needed.value()].name + " --> step_" + step.name + "\n";
    }
  }
  return out;
}

}  // namespace ganglion::project

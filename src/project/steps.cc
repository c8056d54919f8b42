#include "project/steps.h"

#include <algorithm>

namespace ganglion::project {
namespace {

constexpr std::size_t kMaxStepNameBytes = 64;

const std::vector<std::string> kActions = {"agent", "transform", "sleep"};
const std::vector<std::string> kLaterActions = {"workflow", "approve", "wait_for", "publish", "set"};

void check_step_name(const std::string& name, const Field& field, Diagnostics& diagnostics) {
  if (name.size() > kMaxStepNameBytes) {
    diagnostics.add(field.position, field.path,
                    "the name of a step has at most " + std::to_string(kMaxStepNameBytes) + " bytes");
    return;
  }
  std::string fitting;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool fits = byte < 0x80 && (std::isalnum(byte) != 0 || c == '_');
    if (fitting.empty() && byte < 0x80 && std::isdigit(byte) != 0) fitting = "_";
    fitting += fits ? c : '_';
  }
  if (fitting == name && !name.empty()) return;
  diagnostics.add(field.position, field.path,
                  "the name of a step is letters, digits and '_', not a digit first" +
                      (name.empty() ? std::string() : "; did you mean \"" + fitting + "\"?"));
}

std::string listed(const std::vector<std::string>& names, std::string_view last_separator) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last_separator : ", ";
    out += names[i];
  }
  return out;
}

// The one action that the step has, if it has one that can be read.
std::optional<std::string> find_action(Fields& fields, Diagnostics& diagnostics) {
  std::vector<std::string> present;
  std::vector<std::pair<std::string, Field>> later;
  for (const std::string& key : kActions) {
    if (fields.take(key)) present.push_back(key);
  }
  for (const std::string& key : kLaterActions) {
    if (const auto field = fields.take(key)) later.emplace_back(key, *field);
  }
  const std::optional<std::string> only =
      present.size() == 1 && later.empty() ? std::optional(present.front()) : std::nullopt;
  for (const auto& [key, field] : later) {
    diagnostics.add(field.position, field.path, not_available("a step with \"" + key + "\""));
    present.push_back(key);
  }
  const Field& owner = fields.owner();
  if (present.empty()) {
    diagnostics.add(owner.position, owner.path, "a step needs exactly one of " + listed(kActions, " or "));
  } else if (present.size() > 1) {
    diagnostics.add(owner.position, owner.path,
                    "a step is exactly one thing; this one has " + listed(present, " and "));
  }
  return only;
}

class StepReader {
 public:
  StepReader(const std::string& name, const Field& field, const StepSurroundings& around,
             Diagnostics& diagnostics)
      : around_(around),
        diagnostics_(diagnostics),
        fields_(field, diagnostics),
        expressions_(around.steps, diagnostics) {
    check_step_name(name, field, diagnostics);
    step_.definition.name = name;
    step_.definition.retry = around.defaults.retry;
    step_.position = field.position;
  }

  ReadStep run() {
    if (fields_.owner().value->kind != YamlKind::map) return std::move(step_);
    read_mapping();
    read_action();
    read_needs();
    read_conditions();
    read_limits();
    fields_.refuse({"until", "max_iterations", "fallback", "priority", "cache"});
    fields_.finish();
    for (const auto& [index, position] : expressions_.mentioned()) step_.needs.emplace(index, position);
    return std::move(step_);
  }

 private:
  void read_mapping() {
    const auto list = fields_.take("for_each");
    if (list) {
      item_ = ItemNames::present;
      step_.definition.for_each = expressions_.list(*list);
    }
    const auto parallel = fields_.take("max_parallel");
    if (!parallel) return;
    const auto number = read_integer(*parallel, 1, static_cast<std::int64_t>(kMaxMapItems), diagnostics_);
    step_.definition.max_parallel = static_cast<std::uint32_t>(number.value_or(0));
    if (!list)
      diagnostics_.add(parallel->position, parallel->path, "max_parallel has a meaning only with for_each");
  }

  void read_action() {
    const auto action = find_action(fields_, diagnostics_);
    const auto input = fields_.take("input");
    if (input && action && *action != "agent") {
      diagnostics_.add(input->position, input->path, "a step with \"" + *action + "\" takes no input");
    }
    if (!action) {
      // Its expressions are looked at all the same: every error at once.
      if (input) expressions_.value(*input, item_);
      return;
    }
    const Field field = *fields_.take(*action);
    if (*action == "transform") {
      step_.definition.action = Transform{expressions_.value(field, item_)};
    } else if (*action == "sleep") {
      if (step_.definition.for_each) {
        diagnostics_.add(field.position, field.path, "a sleep with for_each is not available yet");
      }
      step_.definition.action = Sleep{expressions_.duration(field, item_)};
    } else {
      read_call(field, input);
    }
  }

  void read_call(const Field& field, const std::optional<Field>& input) {
    AgentCall call;
    if (auto name = read_text(field, diagnostics_)) {
      const auto agent = around_.agents.find(*name);
      if (agent == around_.agents.end()) {
        diagnostics_.add(field.position, field.path,
                         "no agent \"" + *name + "\"" + diagnostics_.nearest(*name, around_.agents));
      } else if (agent->second) {
        step_.definition.retry = agent->second->retry;
      }
      call.agent = std::move(*name);
    }
    if (input) call.input = expressions_.value(*input, item_);
    step_.definition.action = std::move(call);
  }

  void read_needs() {
    const auto needs = fields_.take("needs");
    if (!needs) return;
    if (needs->value->kind == YamlKind::list) {
      for (std::size_t i = 0; i < needs->value->items.size(); ++i) read_need(needs->item(i));
    } else {
      diagnostics_.add(needs->position, needs->path,
                       "expected a list of steps, such as [build, test], got " + describe(*needs->value));
    }
  }

  void read_need(const Field& field) {
    const auto name = read_text(field, diagnostics_);
    if (!name) return;
    if (const auto step = around_.steps.find(*name); step != around_.steps.end()) {
      step_.needs.emplace(step->second, field.position);
      return;
    }
    diagnostics_.add(field.position, field.path,
                     "no step \"" + *name + "\"" + diagnostics_.nearest(*name, around_.steps));
  }

  void read_conditions() {
    if (const auto condition = fields_.take("if"))
      step_.definition.condition = expressions_.condition(*condition);
    const auto on_failure = fields_.take("on_failure");
    if (!on_failure) return;
    const std::string_view choice = on_failure->value->text;
    if (choice == "fail") {
      step_.definition.on_failure = OnFailure::fail_run;
    } else if (choice == "continue") {
      step_.definition.on_failure = OnFailure::continue_run;
    } else if (choice == "pause") {
      diagnostics_.add(on_failure->position, on_failure->path, not_available("\"on_failure: pause\""));
    } else {
      diagnostics_.add(on_failure->position, on_failure->path,
                       "expected fail or continue, got " + describe(*on_failure->value));
    }
  }

  void read_limits() {
    if (const auto timeout = fields_.take("timeout")) {
      step_.definition.timeout = read_timeout(*timeout, diagnostics_);
    }
    if (const auto retry = fields_.take("retry")) {
      step_.definition.retry = read_retry(*retry, step_.definition.retry, diagnostics_);
    }
  }

  const StepSurroundings& around_;
  Diagnostics& diagnostics_;
  Fields fields_;
  Expressions expressions_;
  ItemNames item_ = ItemNames::absent;
  ReadStep step_;
};

}  // namespace

ReadStep read_step(const std::string& name, const Field& field, const StepSurroundings& around,
                   Diagnostics& diagnostics) {
  return StepReader(name, field, around, diagnostics).run();
}

}  // namespace ganglion::project

#include "project/steps.h"

#include <algorithm>
#include <span>

#include "project/mentions.h"
#include "project/policies.h"
#include "project/state_access.h"

namespace ganglion::project {
namespace {

constexpr std::size_t kMaxStepNameBytes = 64;

constexpr std::int64_t kMaxPriority = 1000;

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

std::string listed(std::span<const std::string> names, std::string_view last_separator) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last_separator : ", ";
    out += names[i];
  }
  return out;
}

// The one action that the step has.
std::optional<std::string> find_action(Fields& fields, Diagnostics& diagnostics) {
  std::vector<std::string> present;
  for (const std::string& key : actions()) {
    if (fields.take(key)) present.push_back(key);
  }
  if (present.size() == 1) return present.front();
  const Field& owner = fields.owner();
  diagnostics.add(owner.position, owner.path,
                  present.empty() ? "a step needs exactly one of " + listed(actions(), " or ")
                                  : "a step is exactly one thing; this one has " + listed(present, " and "));
  return std::nullopt;
}

// An iteration makes sense where something outside answers.
bool may_repeat(std::string_view action) {
  return action != "transform" && action != "publish" && action != "set";
}

class StepReader {
 public:
  StepReader(const std::string& name, const Field& field, const StepSurroundings& around,
             Diagnostics& diagnostics)
      : around_(around),
        diagnostics_(diagnostics),
        fields_(field, diagnostics),
        expressions_(around.steps, around.steps.find(name)->second, diagnostics) {
    check_step_name(name, field, diagnostics);
    step_.definition.name = name;
    step_.position = field.position;
  }

  ReadStep run() {
    if (fields_.owner().value->kind != YamlKind::map) return std::move(step_);
    action_ = find_action(fields_, diagnostics_);
    read_mapping();
    read_iteration();
    read_action();
    read_needs();
    read_conditions();
    read_limits();
    read_answers();
    fields_.finish();
    check_input();
    for (const auto& [index, position] : expressions_.mentioned()) step_.needs.emplace(index, position);
    step_.reads_state = !expressions_.state().empty();
    return std::move(step_);
  }

 private:
  void read_mapping() {
    const auto list = fields_.take("for_each");
    if (list) {
      names_.item = true;
      step_.definition.for_each = expressions_.list(*list, {});
    }
    const auto parallel = fields_.take("max_parallel");
    if (!parallel) return;
    const auto number = read_integer(*parallel, 1, static_cast<std::int64_t>(kMaxMapItems), diagnostics_);
    step_.definition.max_parallel = static_cast<std::uint32_t>(number.value_or(0));
    if (!list)
      diagnostics_.add(parallel->position, parallel->path, "max_parallel has a meaning only with for_each");
  }

  void read_iteration() {
    const auto until = fields_.take("until");
    const auto most = fields_.take("max_iterations");
    if (!until && !most) return;
    iterates_ = until.has_value();
    if (action_ && !may_repeat(*action_))
      refuse(until ? *until : *most, "a step with \"" + *action_ + "\" is done once");
    if (!most)
      refuse(*until, "until needs max_iterations beside it, at most " + std::to_string(kMaxIterations));
    if (!until) refuse(*most, "max_iterations has a meaning only with until");
    if (until) step_.definition.until = expressions_.condition(*until, {.item = names_.item, .self = true});
    if (most) {
      const auto number = read_integer(*most, 1, kMaxIterations, diagnostics_);
      step_.definition.max_iterations = static_cast<std::uint32_t>(number.value_or(1));
    }
  }

  void read_action() {
    const auto input = fields_.take("input");
    const Names input_names{.item = names_.item, .self = iterates_};
    if (input && action_ && !takes_input(*action_))
      refuse(*input, "a step with \"" + *action_ + "\" takes no input");
    if (!action_) {
      // Its expressions are looked at all the same: every error at once.
      if (input) expressions_.value(*input, input_names);
      return;
    }
    auto read = project::read_action({*action_, *fields_.take(*action_), input, names_, input_names}, around_,
                                     expressions_, diagnostics_);
    step_.definition.action = std::move(read.action);
    inner_timeout_ = std::move(read.timeout);
    shown_ = std::move(read.shown_to_agent);
  }

  void read_needs() {
    const auto needs = fields_.take("needs");
    if (!needs) return;
    if (needs->value->kind == YamlKind::list) {
      for (std::size_t i = 0; i < needs->value->items.size(); ++i) read_need(needs->item(i));
    } else {
      refuse(*needs, "expected a list of steps, such as [build, test], got " + describe(*needs->value));
    }
  }

  void read_need(const Field& field) {
    const auto name = read_text(field, diagnostics_);
    if (!name) return;
    if (const auto step = around_.steps.find(*name); step != around_.steps.end()) {
      step_.needs.emplace(step->second, field.position);
      return;
    }
    refuse(field, "no step \"" + *name + "\"" + diagnostics_.nearest(*name, around_.steps));
  }

  void read_conditions() {
    if (const auto condition = fields_.take("if")) {
      step_.definition.condition = expressions_.condition(*condition, {});
    }
    const auto on_failure = fields_.take("on_failure");
    if (!on_failure) return;
    const std::string_view choice = on_failure->value->text;
    if (choice == "fail") {
      step_.definition.on_failure = OnFailure::fail_run;
    } else if (choice == "continue") {
      step_.definition.on_failure = OnFailure::continue_run;
    } else if (choice == "pause") {
      step_.definition.on_failure = OnFailure::pause_run;
    } else {
      refuse(*on_failure, "expected fail, continue or pause, got " + describe(*on_failure->value));
    }
  }

  void read_limits() {
    const auto timeout = fields_.take("timeout");
    if (timeout) step_.definition.timeout = read_timeout(*timeout, diagnostics_);
    if (inner_timeout_) {
      const auto inner = read_timeout(*inner_timeout_, diagnostics_);
      if (timeout) {
        refuse(*inner_timeout_,
               "the timeout in wait_for is that of the step, which has one of its own; give one");
      } else {
        step_.definition.timeout = inner;
      }
    }
    if (const auto retry = fields_.take("retry")) {
      step_.definition.retry = read_retry(*retry, retry_base(), diagnostics_);
    }
    if (const auto priority = fields_.take("priority")) {
      const auto number = read_integer(*priority, -kMaxPriority, kMaxPriority, diagnostics_);
      if (number) step_.definition.priority = static_cast<std::int32_t>(*number);
    }
  }

  // What the keys of the step's own `retry` change: a sub-run is tried once, an agent as it says itself.
  RetryPolicy retry_base() const {
    if (action_ == "workflow") return {.max_attempts = 1};
    const auto agent = around_.agents.find(agent_name());
    return agent != around_.agents.end() && agent->second ? agent->second->retry : around_.defaults.retry;
  }

  // Where an answer may come from if not from the agent itself.
  void read_answers() {
    if (const auto fallback = fields_.take("fallback")) {
      if (action_ && action_ != "agent") refuse_for_others(*fallback, "fallback");
      step_.definition.fallback = read_fallback(*fallback, agent_name(), around_.agents, diagnostics_);
    }
    const auto cache = fields_.take("cache");
    if (!cache) return;
    if (action_ && action_ != "agent") refuse_for_others(*cache, "cache");
    CachePolicy policy;
    Fields keys(*cache, diagnostics_);
    const auto ttl = keys.take("ttl");
    if (ttl) policy.ttl = read_timeout(*ttl, diagnostics_).value_or(Duration(1));
    if (!ttl && cache->value->kind == YamlKind::map)
      refuse(*cache, "a cache needs \"ttl\", such as {ttl: 1h}");
    if (const auto key = keys.take("key")) policy.key = expressions_.value(*key, names_);
    keys.finish();
    step_.definition.cache = std::move(policy);
  }

  void refuse_for_others(const Field& field, const std::string& key) {
    refuse(field, "\"" + key + "\" is a key of steps with \"agent\"");
  }

  // An agent that an expression chooses is held to its rights when the step runs.
  void check_input() {
    if (shown_.empty() || agent_name().empty()) return;
    const auto readers = performers_of(agent_name(), step_.definition.fallback, around_.agents);
    check_state_access(shown_, readers, around_.agents, diagnostics_);
  }

  // Empty where the step calls none, or one that an expression chooses.
  std::string agent_name() const {
    const auto* call = std::get_if<AgentCall>(&step_.definition.action);
    return call ? call->agent : "";
  }

  void refuse(const Field& field, std::string message) {
    diagnostics_.add(field.position, field.path, std::move(message));
  }

  const StepSurroundings& around_;
  Diagnostics& diagnostics_;
  Fields fields_;
  Expressions expressions_;
  std::optional<std::string> action_;
  Names names_;  // of the action
  bool iterates_ = false;
  std::optional<Field> inner_timeout_;
  std::vector<StateMention> shown_;
  ReadStep step_;
};

}  // namespace

ReadStep read_step(const std::string& name, const Field& field, const StepSurroundings& around,
                   Diagnostics& diagnostics) {
  return StepReader(name, field, around, diagnostics).run();
}

}  // namespace ganglion::project

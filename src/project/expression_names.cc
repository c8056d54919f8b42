// Which names may stand in an expression, place by place.

#include <algorithm>

#include "core/topic.h"
#include "project/expressions.h"

namespace ganglion::project {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Of the names that have a fixed set of members: what they are, and how to say it.
struct Members {
  std::string what;
  std::vector<std::string> names;
};

const Members kRun = {"a run has id, workflow and created_at", {"id", "workflow", "created_at"}};
const Members kSession = {"a session has an id", {"id"}};
const Members kEvent = {"an event has id, type, source, time, subject and data",
                        {"id", "type", "source", "time", "subject", "data"}};
const Members kSlot = {"the event of a schedule has type and time", {"type", "time"}};

// What is wrong with the member that the reference names, if it names one.
std::optional<std::string> wrong_member(const Members& members, const expr::Reference& reference) {
  if (reference.path.size() < 2 || contains(members.names, reference.path[1])) return std::nullopt;
  const std::string& member = reference.path[1];
  return members.what + ", and no \"" + member + "\"" + did_you_mean(member, members.names);
}

}  // namespace

void Expressions::check(const Field& field, const expr::Reference& reference, std::size_t offset,
                        const Names& names) {
  const std::string& name = reference.path.front();
  const auto refuse = [&](std::string message) {
    diagnostics_.add_inside(field, offset, std::move(message));
  };
  const auto hold_to = [&](const Members& members) {
    if (auto problem = wrong_member(members, reference)) refuse(std::move(*problem));
  };
  if (name == "event") {
    if (names.event == EventName::published) return hold_to(kEvent);
    if (names.event == EventName::slot) return hold_to(kSlot);
    return refuse(
        "\"event\" exists only in the \"where\" of a wait_for, and in a trigger; a step sees the event that "
        "it "
        "waited for as its output");
  }
  if (name == "secrets") return refuse("secrets may stand only in the url and headers of an http agent");
  if (!names.of_run) return refuse_unknown(field, name, offset, names);
  if (name == "input") return;
  if (name == "steps") return check_step(field, reference, offset, names);
  if (name == "state") return check_state(field, reference, offset);
  if (name == "run") return hold_to(kRun);
  if (name == "session") return hold_to(kSession);
  if (name == "item" || name == "index") {
    if (!names.item) refuse("\"" + name + "\" exists only inside a step with for_each");
    return;
  }
  refuse_unknown(field, name, offset, names);
}

void Expressions::refuse_unknown(const Field& field, const std::string& name, std::size_t offset,
                                 const Names& names) {
  std::vector<std::string> known;
  if (names.of_run) known = {"input", "steps", "run", "session", "state"};
  if (names.item) known.insert(known.end(), {"item", "index"});
  if (names.event != EventName::absent) known.emplace_back("event");
  std::string message = "no name \"" + name + "\"";
  if (names.of_run && steps_.contains(name)) {
    message += "; did you mean \"steps." + name + ".output\"?";
  } else if (!names.of_run) {
    message += " here: a trigger sees the event and nothing else" + did_you_mean(name, known);
  } else {
    message += " here" + did_you_mean(name, known);
  }
  diagnostics_.add_inside(field, offset, std::move(message));
}

void Expressions::check_step(const Field& field, const expr::Reference& reference, std::size_t offset,
                             const Names& names) {
  const auto refuse = [&](std::string message) {
    diagnostics_.add_inside(field, offset, std::move(message));
  };
  if (reference.path.size() < 2) {
    return refuse(
        "which step is meant must be readable from the file: write steps.NAME.output or "
        "steps[\"NAME\"].output, not a computed name");
  }
  const std::string& name = reference.path[1];
  const auto step = steps_.find(name);
  if (step == steps_.end()) {
    return refuse("no step \"" + name + "\"" + diagnostics_.nearest(name, steps_));
  }
  if (self_ != step->second) {
    mentioned_.emplace(step->second, field.value->position);
  } else if (!names.self) {
    return refuse("the step's own output exists only in its until, and in the input of a step with until");
  }
  static const std::vector<std::string> kMembers = {"output", "error", "status"};
  if (reference.path.size() > 2 && !contains(kMembers, reference.path[2])) {
    // A misspelt member, or one of the output's that was meant to be.
    const std::string& member = reference.path[2];
    std::string meant = did_you_mean(member, kMembers);
    if (meant.empty()) meant = "; did you mean \"steps." + name + ".output." + member + "\"?";
    refuse("a step has output, error and status, and no \"" + member + "\"" + meant);
  }
}

void Expressions::check_state(const Field& field, const expr::Reference& reference, std::size_t offset) {
  StateMention mention{field, offset, {reference.path.begin() + 1, reference.path.end()}};
  if (!mention.path.empty() && !is_topic(mention.path.front())) {
    diagnostics_.add_inside(field, offset,
                            "no key of the state can be called \"" + mention.path.front() +
                                "\": keys are words of letters, digits, '_' and '-', joined by '.'");
  }
  state_.push_back(std::move(mention));
}

}  // namespace ganglion::project

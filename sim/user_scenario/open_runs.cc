#include "sim/user_scenario/open_runs.h"

#include <algorithm>

#include "base/overloaded.h"
#include "core/workflow.h"
#include "sim/user_scenario/people.h"

namespace ganglion::sim {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text.empty() ? "anybody" : text;
}

std::string reason(const Run& run, const AttemptToken& token) {
  const TaskRecord& task = *run.find_task(token.step, token.item);
  if (const auto* awaiting = std::get_if<TaskAwaiting>(&task.state)) {
    return std::visit(Overloaded{[](const UntilTime& time) { return "until " + format_rfc3339(time.until); },
                                 [](const ForPerson& person) { return "a decision of " + listed(person.by); },
                                 [](const ForEvent& event) { return "an event " + event.pattern; }},
                      awaiting->wait());
  }
  if (std::holds_alternative<TaskBackingOff>(task.state)) return "its next attempt";
  if (task.role == TaskRole::sub_run) return "the run " + run.sub_run_of(token.step, token.item).text();
  return "the agent " + run.agent_of(token.step, token.item);
}

bool is_hopeless(const Run& run, const AttemptToken& token, const OpenRuns& open,
                 const std::vector<scenario::Person>& people) {
  const TaskRecord& task = *run.find_task(token.step, token.item);
  if (const auto* awaiting = std::get_if<TaskAwaiting>(&task.state)) {
    const auto* person = std::get_if<ForPerson>(&awaiting->wait());
    return person != nullptr && who_decides(people, run.definition(token.step).name, person->by) == nullptr;
  }
  if (task.role != TaskRole::sub_run || !std::holds_alternative<TaskDispatched>(task.state)) return false;
  const auto child = open.find(run.sub_run_of(token.step, token.item));
  return child != open.end() && waits_for_nobody_known(*child->second, open, people);
}

}  // namespace

bool waits_for_nobody_known(const Run& run, const OpenRuns& open,
                            const std::vector<scenario::Person>& people) {
  if (std::holds_alternative<RunOnHold>(run.state())) return false;
  const std::vector<AttemptToken> under_way = run.open_attempts();
  return !under_way.empty() && std::ranges::all_of(under_way, [&](const AttemptToken& token) {
    return is_hopeless(run, token, open, people);
  });
}

std::string what_it_waits_for(const Run& run) {
  if (const auto* held = std::get_if<RunOnHold>(&run.state())) {
    if (held->step) return "step " + run.definition(*held->step).name + " failed, and nobody resumes it";
    return "nobody resumes it";
  }
  const std::vector<AttemptToken> under_way = run.open_attempts();
  if (under_way.empty()) return "nothing of it is under way";
  const AttemptToken& first = under_way.front();
  return "step " + run.definition(first.step).name + " waits for " + reason(run, first);
}

}  // namespace ganglion::sim

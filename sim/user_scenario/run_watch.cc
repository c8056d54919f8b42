#include "sim/user_scenario/run_watch.h"

#include <utility>

#include "base/overloaded.h"
#include "core/event_codec.h"
#include "core/run_json.h"
#include "core/usage.h"

namespace ganglion::sim {
namespace {

using scenario::Expectation;
using scenario::ExpectationKind;
using scenario::Observed;
using scenario::RunEnd;

std::string place_of(const JournalEntry& entry) {
  std::string place = entry.step.value_or("");
  if (entry.item) place += "[" + std::to_string(*entry.item) + "]";
  if (entry.attempt) place += " attempt " + std::to_string(*entry.attempt);
  return place;
}

std::string state_of(const Run& run) {
  std::string text = "status " + std::string(run.status());
  if (const auto* broken = std::get_if<RunBroken>(&run.state())) {
    text += " (error code " + broken->error->code;
    if (broken->step) text += " of step " + run.definition(*broken->step).name;
    text += ")";
  }
  return text;
}

const char* word_of(ExpectationKind kind) {
  switch (kind) {
    case ExpectationKind::always:
      return "always";
    case ExpectationKind::eventually:
      return "eventually";
    case ExpectationKind::sometimes:
      return "sometimes";
    case ExpectationKind::totals:
      return "totals";
  }
  return "";
}

}  // namespace

RunWatch::RunWatch(World& world, const scenario::Scenario& scenario, std::shared_ptr<const Project> project)
    : world_(world),
      scenario_(scenario),
      project_(std::move(project)),
      names_(world),
      totals_(scenario, *project_) {}

std::string RunWatch::workflow_of(const RunId& run) const {
  const auto known = workflows_.find(run);
  return known == workflows_.end() ? std::string() : known->second->name;
}

std::string RunWatch::describe(const Run& run) const {
  return "run " + run.id().text() + " of " + run.workflow().name + " (" + names_.of(run.id()) + ")";
}

// --- runs
// -------------------------------------------------------------------------------------------------------------

void RunWatch::committed(const Commit& commit, const CommitOutcome& outcome) {
  if (!std::holds_alternative<Committed>(outcome)) return;
  if (commit.create) create(commit);
  const auto found = open_.find(commit.run);
  if (found == open_.end()) return;
  Run& run = *found->second;
  for (const JournalEntry& entry : commit.events) {
    if (!apply(run, entry)) return;
  }
  look(run);
  if (!run.ended()) return;
  end(run);
  open_.erase(found);
}

void RunWatch::create(const Commit& commit) {
  const auto created = decode_created(commit.events.front());
  if (!created) return world_.violated("run " + commit.run.text() + ": " + created.error().message);
  const auto workflow = project_->workflows.find(created->workflow);
  if (workflow == project_->workflows.end()) return;
  const std::string& name = names_.add(commit.run, *created, commit.claim);
  world_.trace().add(name, "begins", commit.run.text());
  workflows_.emplace(commit.run, &workflow->second);
  open_.emplace(commit.run, std::make_unique<Run>(commit.run, project_, workflow->second));
  totals_.run_started(created->workflow);
}

bool RunWatch::apply(Run& run, const JournalEntry& entry) {
  const auto event = decode(entry, run.workflow());
  if (!event) {
    world_.violated(describe(run) + ": " + event.error().message);
    return false;
  }
  world_.trace().add(names_.of(run.id()), entry.type, place_of(entry));
  count(run, *event);
  run.apply(*event, entry.at);
  return true;
}

// --- what they come to
// ------------------------------------------------------------------------------------------------

void RunWatch::count(const Run& run, const Event& event) {
  if (const auto* done = std::get_if<TaskSucceeded>(&event)) {
    count_attempt(run, done->step, done->item, false, done->usage);
  } else if (const auto* failed = std::get_if<TaskFailed>(&event)) {
    count_attempt(run, failed->step, failed->item, true, failed->usage);
  } else if (const auto* routed = std::get_if<TaskRouted>(&event); routed && routed->attempt > Attempt(0)) {
    count_attempt(run, routed->step, routed->item, routed->by != RoutedBy::classifier, routed->usage);
  }
}

// Those of agents: sub-runs have their own, and a person, a pause or the cache is no attempt.
void RunWatch::count_attempt(const Run& run, StepIndex step, ItemIndex item, bool failed,
                             const std::optional<Payload>& usage) {
  const TaskRecord* task = run.find_task(step, item);
  if (task == nullptr || !std::holds_alternative<TaskDispatched>(task->state)) return;
  if (task->role != TaskRole::work && task->role != TaskRole::classify) return;
  totals_.attempt_ended(failed);
  if (usage) totals_.used(read_usage(*usage));
}

void RunWatch::end(const Run& run) {
  const RunEnd end = std::visit(Overloaded{[](const RunActive&) { return RunEnd::failed; },
                                           [](const RunOnHold&) { return RunEnd::failed; },
                                           [](const RunDone&) { return RunEnd::completed; },
                                           [](const RunBroken&) { return RunEnd::failed; },
                                           [](const RunCalledOff&) { return RunEnd::cancelled; }},
                                run.state());
  totals_.run_ended(run.workflow().name, end, *run.ended_at() - run.created_at());
}

// --- expectations
// -----------------------------------------------------------------------------------------------------

bool RunWatch::is_looked_for(const Expectation& expectation, const Run& run) const {
  if (!concerns(expectation, run.workflow().name)) return false;
  switch (expectation.kind) {
    case ExpectationKind::always:
      return true;
    case ExpectationKind::eventually:
      return run.ended();
    case ExpectationKind::sometimes:
      return !seen_.contains(&expectation);
    case ExpectationKind::totals:
      return false;
  }
  return false;
}

void RunWatch::look(const Run& run) {
  std::optional<Observed> observed;
  for (const Expectation& expectation : scenario_.expect) {
    if (!is_looked_for(expectation, run)) continue;
    if (!observed) observed = Observed::run(run_json(run));
    look(expectation, *observed, run);
  }
}

void RunWatch::look(const Expectation& expectation, const Observed& observed, const Run& run) {
  const auto holding = holds(expectation, observed);
  const bool holds_now = holding && *holding;
  if (expectation.kind == ExpectationKind::sometimes) {
    if (!holds_now) return;
    seen_.insert(&expectation);
    return world_.saw("sometimes: " + expectation.name);
  }
  if (holds_now) return;
  std::string text = std::string(word_of(expectation.kind)) + " \"" + expectation.name +
                     "\" does not hold for " + describe(run) + ": " + state_of(run);
  if (!holding) text += ", and it can't be evaluated: " + holding.error().message;
  world_.violated(text + ", at " + format_sim_time(world_.timeline().now()));
}

void RunWatch::check_totals() {
  const Observed observed = Observed::totals(totals_.json());
  for (const Expectation& expectation : scenario_.expect) {
    if (expectation.kind != ExpectationKind::totals) continue;
    const auto holding = holds(expectation, observed);
    if (holding && *holding) continue;
    std::string text = "totals \"" + expectation.name + "\" does not hold";
    if (!holding) text += ", and it can't be evaluated: " + holding.error().message;
    world_.violated(text);
  }
}

}  // namespace ganglion::sim

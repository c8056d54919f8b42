#include "core/fold.h"

#include <string>
#include <utility>

#include "base/overloaded.h"
#include "core/event_codec.h"

namespace ganglion {

namespace {

bool has_ended(const Run& run, StepIndex step) {
  const StepState& state = run.step(step).state;
  return std::holds_alternative<StepDone>(state) || std::holds_alternative<StepBroken>(state) ||
         std::holds_alternative<StepNotTaken>(state);
}

// Of an action that hands tasks out or waits.
bool has_tasks(const Run& run, StepIndex step) {
  return std::visit(Overloaded{[](const AgentCall&) { return true; }, [](const SubWorkflow&) { return true; },
                               [](const Approval&) { return true; }, [](const WaitFor&) { return true; },
                               [](const Sleep&) { return true; }, [](const Publish&) { return false; },
                               [](const SetState&) { return false; }, [](const Transform&) { return false; }},
                    run.definition(step).action);
}

// The task is one that a running step has, or the one that a step begins with.
bool may_begin(const Run& run, StepIndex step, ItemIndex item) {
  if (!has_tasks(run, step)) return false;
  const bool first = !run.definition(step).for_each &&
                     std::holds_alternative<StepPending>(run.step(step).state) && item == ItemIndex(0);
  return first ||
         (std::holds_alternative<StepRunning>(run.step(step).state) && run.find_task(step, item) != nullptr);
}

bool is_under_way(const Run& run, StepIndex step, ItemIndex item) {
  const TaskRecord* task = run.find_task(step, item);
  return task != nullptr && std::holds_alternative<StepRunning>(run.step(step).state) &&
         (std::holds_alternative<TaskDispatched>(task->state) ||
          std::holds_alternative<TaskAwaiting>(task->state));
}

bool is_unscheduled(const Run& run, StepIndex step, ItemIndex item) {
  const TaskRecord* task = run.find_task(step, item);
  return task == nullptr || std::holds_alternative<TaskUnscheduled>(task->state) ||
         std::holds_alternative<TaskBackingOff>(task->state);
}

// What `apply` takes for granted, asked of an event that a damaged journal may have made up.
bool fits(const Run& run, const Event& event) {
  if (run.ended()) {
    return std::holds_alternative<RunRetried>(event) || std::holds_alternative<RunForked>(event);
  }
  return std::visit(
      Overloaded{
          [](const RunCreated&) { return true; },
          [](const RunForked&) { return true; },
          [&](const StepStarted& e) {
            return has_tasks(run, e.step) && run.definition(e.step).for_each &&
                   std::holds_alternative<StepPending>(run.step(e.step).state) &&
                   expr::Value::json(e.items).is(expr::Kind::list);
          },
          [&](const TaskScheduled& e) {
            return may_begin(run, e.step, e.item) && is_unscheduled(run, e.step, e.item);
          },
          [&](const TaskWaiting& e) {
            const auto* person = std::get_if<ForPerson>(&e.wait);
            const bool asked = person != nullptr && !person->agent.empty();
            const bool call = std::holds_alternative<AgentCall>(run.definition(e.step).action);
            return may_begin(run, e.step, e.item) && is_unscheduled(run, e.step, e.item) && asked == call;
          },
          [&](const TaskRouted& e) {
            const bool fresh = may_begin(run, e.step, e.item) && is_unscheduled(run, e.step, e.item);
            return std::holds_alternative<AgentCall>(run.definition(e.step).action) &&
                   (e.attempt == Attempt(0) ? fresh : is_under_way(run, e.step, e.item));
          },
          [&](const ApprovalDecided& e) { return is_under_way(run, e.step, e.item); },
          [](const SignalReceived&) { return true; },
          [&](const EventDelivered& e) { return is_under_way(run, e.step, e.item); },
          [](const EventPublished&) { return true; },
          [](const StateChanged&) { return true; },
          [&](const TaskSucceeded& e) { return is_under_way(run, e.step, e.item); },
          [&](const TaskFailed& e) { return is_under_way(run, e.step, e.item); },
          [&](const StepCompleted& e) { return !has_ended(run, e.step); },
          [&](const StepFailed& e) { return !has_ended(run, e.step); },
          [&](const StepSkipped& e) { return std::holds_alternative<StepPending>(run.step(e.step).state); },
          [](const RunPaused&) { return true; },
          [](const RunResumed&) { return true; },
          [](const RunRetried&) { return false; },
          [](const RunCompleted&) { return true; },
          [](const RunFailed&) { return true; },
          [](const RunCancelled&) { return true; }},
      event);
}

}  // namespace

Result<void> fold_next(Run& run, const JournalEntry& entry) {
  if (entry.seq != run.version() + 1) {
    return fail("corrupt_journal",
                "after entry " + std::to_string(run.version()) + " comes " + std::to_string(entry.seq));
  }
  const auto event = decode(entry, run.workflow());
  if (!event) return std::unexpected(event.error());
  if ((entry.seq == 1) != std::holds_alternative<RunCreated>(*event)) {
    return fail("corrupt_journal", "a journal begins with run_created, and no other entry is one");
  }
  if (!fits(run, *event)) {
    return fail("corrupt_journal", "journal entry " + std::to_string(entry.seq) + " (" + entry.type +
                                       ") doesn't fit what came before it");
  }
  run.apply(*event, entry.at);
  return {};
}

Result<std::unique_ptr<Run>> fold(const RunId& id, std::shared_ptr<const Project> project,
                                  std::span<const JournalEntry> journal) {
  if (journal.empty()) return fail("corrupt_journal", "the journal of run " + id.text() + " is empty");
  const auto created = decode_created(journal.front());
  if (!created) return std::unexpected(created.error());
  const auto workflow = project->workflows.find(created->workflow);
  if (workflow == project->workflows.end()) {
    return fail("corrupt_journal",
                "project " + project->digest + " has no workflow \"" + created->workflow + "\"");
  }
  const WorkflowDefinition& definition = workflow->second;
  auto run = std::make_unique<Run>(id, std::move(project), definition);
  for (const JournalEntry& entry : journal) {
    if (auto folded = fold_next(*run, entry); !folded) return std::unexpected(folded.error());
  }
  return run;
}

}  // namespace ganglion

#pragma once

// A run: the fold of its journal. `apply` is the only function that changes one; `decide` (core/decide.h)
// says which events to apply. Nothing here does I/O, reads a clock or fails: an event that doesn't fit is a
// corrupt journal, which the codec refuses before it gets here, or a bug, which asserts.
//
// Beside what the journal says, a run keeps two indexes over it so that no decision needs a scan: the steps
// that may start
// (`startable`) and the deadlines (`wakeups`, a heap whose entries may be out of date; a wake-up that finds
// nothing due changes nothing). Cost per event doesn't depend on the number of steps, items or events before
// it.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/rare.h"
#include "base/result.h"
#include "base/time.h"
#include "core/event.h"
#include "core/expr/value.h"
#include "core/ids.h"
#include "core/run_records.h"
#include "core/workflow.h"

namespace ganglion {

class Run {
 public:
  // An empty run: nothing has happened yet. `workflow` is one of `project`'s.
  Run(RunId id, std::shared_ptr<const Project> project, const WorkflowDefinition& workflow);

  // Folds one event. `at` is the time at which it was decided.
  void apply(const Event& event, Timestamp at);

  const RunId& id() const { return id_; }
  const Project& project() const { return *project_; }
  const WorkflowDefinition& workflow() const { return *workflow_; }
  // The seq of the last event.
  std::uint64_t version() const { return version_; }

  // Without the digest of its definition, which is the project's.
  const RunCreated& created() const { return created_; }
  const std::optional<RunForked>& forked() const { return details_->forked; }
  // What the run was started with, or forked with.
  const ReadableValue& input() const { return input_; }
  Timestamp created_at() const { return created_at_; }
  std::optional<Timestamp> ended_at() const { return ended_at_; }
  // Of the latest event. No later one is earlier, whoever decides it with whatever clock.
  Timestamp last_at() const { return last_at_; }
  const RunState& state() const { return state_; }
  bool ended() const;
  const std::vector<StepRecord>& steps() const { return steps_; }
  const StepRecord& step(StepIndex index) const { return steps_[index.value()]; }
  const StepDefinition& definition(StepIndex index) const { return workflow_->steps[index.value()]; }
  // Null where the step has no such task.
  const TaskRecord* find_task(StepIndex step, ItemIndex item) const;
  bool all_steps_ended() const { return ended_steps_ == steps_.size(); }
  // Bytes of the list of outputs that a mapped step has so far.
  std::size_t collected_size(StepIndex step) const;

  // Who performs the task's current attempt: an agent, or of a sub-run the workflow. Empty for what is no
  // call.
  const std::string& agent_of(StepIndex step, ItemIndex item) const;
  // The run that performs the task's current attempt, of the role sub_run.
  RunId sub_run_of(StepIndex step, ItemIndex item) const;

  // What agents reported, summed over all attempts, those of sub-runs included.
  const Usage& usage() const { return *usage_; }
  // The workflow's budget, or what the parent has reserved if that is less.
  const std::optional<Budget>& budget() const { return details_->budget; }
  const Budget& reserved() const { return details_->reserved; }
  // The most that one attempt of this agent has used so far in a run with a budget.
  Budget largest_use(const std::string& agent) const;
  // Whether one has ended, so that this is known.
  bool knows_use(const std::string& agent) const { return details_->largest.contains(agent); }

  // The `status` of the HTTP API.
  std::string_view status() const;
  std::string_view step_status(StepIndex index) const;

  // Pending steps with nothing left to wait for, in the order in which they became so.
  const std::vector<StepIndex>& startable() const { return startable_; }
  // Running steps that may have unscheduled tasks, or none left: what a pause, a fork or a retry left behind.
  std::vector<StepIndex> interrupted() const;

  std::size_t tasks_in_flight() const { return in_flight_; }
  // Signals that nothing has waited for yet, oldest first.
  const std::vector<SignalReceived>& signals() const { return details_->signals; }
  bool has_seen_signal(const std::string& id) const;
  // Tasks that wait for an event, in order.
  const std::set<std::pair<StepIndex, ItemIndex>>& waiting_for_events() const {
    return details_->event_waits;
  }

  std::optional<Timestamp> run_deadline() const { return run_deadline_; }
  // Of a step that has begun and has a timeout.
  std::optional<Timestamp> step_deadline(StepIndex index) const;
  // The retry of this task is due, but the budget has no room for it: no deadline, but something to try again
  // whenever something else has ended. Not an event; a run that is folded again finds its deadline passed.
  void postpone(StepIndex step, ItemIndex item) { details_.edit().postponed.emplace(step, item); }
  const std::set<std::pair<StepIndex, ItemIndex>>& postponed() const { return details_->postponed; }
  // The earliest deadline of an active run, which may have become void.
  std::optional<Timestamp> next_wakeup() const;
  // Takes the earliest deadline that is due.
  std::optional<Wakeup> take_wakeup(Timestamp now);

  // Every attempt that somebody performs or may perform, and everything that is waited for.
  std::vector<AttemptToken> open_attempts() const;
  std::vector<AttemptToken> open_attempts(StepIndex step) const;
  // The last attempts of tasks that have failed for good, in steps that a resumption or a retry tries again.
  std::vector<AttemptToken> given_up() const;

 private:
  void on(const RunCreated&, Timestamp);
  void on(const RunForked&, Timestamp);
  void on(const StepStarted&, Timestamp);
  void on(const TaskScheduled&, Timestamp);
  void on(const TaskWaiting&, Timestamp);
  void on(const TaskRouted&, Timestamp);
  void on(const ApprovalDecided&, Timestamp) {}
  void on(const SignalReceived&, Timestamp);
  void on(const EventDelivered&, Timestamp);
  void on(const EventPublished&, Timestamp) {}
  void on(const StateChanged&, Timestamp) {}
  void on(const TaskSucceeded&, Timestamp);
  void on(const TaskFailed&, Timestamp);
  void on(const StepCompleted&, Timestamp);
  void on(const StepFailed&, Timestamp);
  void on(const StepSkipped&, Timestamp);
  void on(const RunPaused&, Timestamp);
  void on(const RunResumed&, Timestamp);
  void on(const RunRetried&, Timestamp);
  void on(const RunCompleted&, Timestamp);
  void on(const RunFailed&, Timestamp);
  void on(const RunCancelled&, Timestamp);

  StepRecord& record(StepIndex index) { return steps_[index.value()]; }
  void begin_step(StepIndex index, Timestamp at);
  void end_step(StepIndex index, StepState state, Timestamp at);
  void end_run(RunState state, Timestamp at);
  // Broken without leave to go on, or called off with the run.
  bool stops_the_run(StepIndex index) const;
  // No task runs any more, nothing is waited for.
  void forget_what_is_open();
  bool reopen_failed_steps();
  void reopen_step(StepIndex index);
  // From the states of steps and tasks and from the deadlines: what must start and what must be watched.
  void reopen(Timestamp at);
  void leave_startable(StepIndex index);
  void count_needs();
  void watch_run_deadline(Timestamp from);
  StepRunning& running(StepIndex index);
  TaskRecord& task(StepIndex step, ItemIndex item);
  // The task of a step that begins with it, if it has not begun.
  TaskRecord& begin_task(StepIndex step, ItemIndex item, Timestamp at);
  // Changes the task's state and everything that is counted by it.
  void move_task(StepIndex step, ItemIndex item, TaskState state);
  void count(StepIndex step, ItemIndex item, const TaskState& state, std::ptrdiff_t by);
  void begin_attempt(StepIndex step, ItemIndex item, Attempt attempt, std::uint32_t link,
                     std::uint32_t iteration, TaskRole role, Timestamp at);
  void reserve(TaskRecord& task, const Budget& amount);
  void release(TaskRecord& task);
  void end_attempt(StepIndex step, ItemIndex item, const std::optional<Payload>& usage);
  void wake_at(Wakeup wakeup);

  RunId id_;
  std::shared_ptr<const Project> project_;
  const WorkflowDefinition* workflow_;
  std::uint64_t version_ = 0;
  RunCreated created_;
  ReadableValue input_;
  Timestamp created_at_;
  std::optional<Timestamp> ended_at_;
  Timestamp last_at_;
  RunState state_;
  std::vector<StepRecord> steps_;
  std::size_t ended_steps_ = 0;
  std::size_t in_flight_ = 0;  // tasks, of all steps
  std::size_t waiting_ = 0;
  std::optional<Timestamp> run_deadline_;
  std::vector<StepIndex> startable_;
  std::vector<Wakeup> wakeups_;  // a heap, earliest first
  Rare<Usage> usage_;
  Rare<RunDetails> details_;
};

}  // namespace ganglion

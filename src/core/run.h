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

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "core/event.h"
#include "core/expr/value.h"
#include "core/ids.h"
#include "core/workflow.h"

namespace ganglion {

// --- tasks
// --------------------------------------------------------------------------------------------------------

struct TaskUnscheduled {};
struct TaskDispatched {};
struct TaskBackingOff {
  Timestamp retry_at;
};
struct TaskDone {
  Payload output;
};
struct TaskGivenUp {
  Error error;
};
using TaskState = std::variant<TaskUnscheduled, TaskDispatched, TaskBackingOff, TaskDone, TaskGivenUp>;

struct TaskRecord {
  TaskState state;
  Payload input;
  Attempt attempt;                     // the last one that was scheduled; 0 before the first
  std::uint32_t earlier_attempts = 0;  // those that a retry of the run has forgiven
};

// --- steps
// --------------------------------------------------------------------------------------------------------

struct StepPending {};
// Its tasks are under way.
struct StepRunning {
  std::size_t next_item = 0;  // the first that is unscheduled; the number of items if none is
  std::size_t in_flight = 0;  // dispatched or backing off
  std::size_t ended = 0;      // done or given up
  std::size_t given_up = 0;
};
struct StepAsleep {
  Timestamp until;
};
struct StepDone {
  Payload output;
  std::optional<Error> error;  // of items that the step went on without
};
struct StepBroken {
  Error error;
};
struct StepNotTaken {};
struct StepCalledOff {};
using StepState =
    std::variant<StepPending, StepRunning, StepAsleep, StepDone, StepBroken, StepNotTaken, StepCalledOff>;

struct StepRecord {
  StepState state;
  std::size_t open_needs = 0;  // of the steps that it needs, those that have not ended
  std::vector<TaskRecord> tasks;
  expr::Value items;  // of a mapped step
  std::uint32_t attempts = 0;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> ended_at;
};

// --- run
// ----------------------------------------------------------------------------------------------------------

struct RunActive {};
struct RunOnHold {};
struct RunDone {
  Payload output;
};
struct RunBroken {
  Error error;
  std::optional<StepIndex> step;
};
struct RunCalledOff {
  std::string reason;
};
using RunState = std::variant<RunActive, RunOnHold, RunDone, RunBroken, RunCalledOff>;

enum class WakeupReason : std::uint8_t { retry, sleep, step_timeout, run_timeout };

struct Wakeup {
  Timestamp when;
  WakeupReason reason;
  StepIndex step;
  ItemIndex item;
};

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

  const RunCreated& created() const { return created_; }
  Timestamp created_at() const { return created_at_; }
  std::optional<Timestamp> ended_at() const { return ended_at_; }
  const RunState& state() const { return state_; }
  bool ended() const;
  const std::vector<StepRecord>& steps() const { return steps_; }
  const StepRecord& step(StepIndex index) const { return steps_[index.value()]; }
  const StepDefinition& definition(StepIndex index) const { return workflow_->steps[index.value()]; }
  bool all_steps_ended() const { return ended_steps_ == steps_.size(); }
  // Bytes of the list of outputs that a mapped step has so far.
  std::size_t collected_size(StepIndex step) const;
  // What agents reported, summed over all accepted results.
  const std::map<std::string, double>& usage() const { return usage_; }

  // The `status` of the HTTP API.
  std::string_view status() const;
  std::string_view step_status(StepIndex index) const;

  // Pending steps with nothing left to wait for, in the order in which they became so.
  const std::vector<StepIndex>& startable() const { return startable_; }
  // Running steps that may have unscheduled tasks: what a pause or a retry left behind.
  std::vector<StepIndex> interrupted() const;

  std::optional<Timestamp> run_deadline() const { return run_deadline_; }
  // Of a step that has begun and has a timeout.
  std::optional<Timestamp> step_deadline(StepIndex index) const;
  // The earliest deadline of an active run, which may have become void.
  std::optional<Timestamp> next_wakeup() const;
  // Takes the earliest deadline that is due.
  std::optional<Wakeup> take_wakeup(Timestamp now);

  // Every attempt that is handed out or may be.
  std::vector<AttemptToken> dispatched() const;
  std::vector<AttemptToken> dispatched(StepIndex step) const;

 private:
  void on(const RunCreated&, Timestamp);
  void on(const StepStarted&, Timestamp);
  void on(const TaskScheduled&, Timestamp);
  void on(const TaskSucceeded&, Timestamp);
  void on(const TaskFailed&, Timestamp);
  void on(const StepSleeping&, Timestamp);
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
  void reopen_step(StepIndex index);
  void leave_startable(StepIndex index);
  void count_needs();
  void watch_run_deadline(Timestamp from);
  StepRunning& running(StepIndex index);
  TaskRecord& task(StepIndex step, ItemIndex item);
  void wake_at(Wakeup wakeup);
  void add_usage(const Payload& usage);

  RunId id_;
  std::shared_ptr<const Project> project_;
  const WorkflowDefinition* workflow_;
  std::uint64_t version_ = 0;
  RunCreated created_;
  Timestamp created_at_;
  std::optional<Timestamp> ended_at_;
  RunState state_;
  std::vector<StepRecord> steps_;
  std::size_t ended_steps_ = 0;
  std::size_t running_steps_ = 0;
  std::size_t sleeping_steps_ = 0;
  std::optional<Timestamp> run_deadline_;
  std::vector<StepIndex> startable_;
  std::vector<Wakeup> wakeups_;  // a heap, earliest first
  std::map<std::string, double> usage_;
};

}  // namespace ganglion

#pragma once

// What a run knows of its tasks, its steps and itself: each state with the data that it has.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/rare.h"
#include "base/result.h"
#include "base/time.h"
#include "core/event.h"
#include "core/expr/value.h"
#include "core/ids.h"
#include "core/usage.h"

namespace ganglion {

// --- tasks
// --------------------------------------------------------------------------------------------------------

// Wants its next attempt: its first, or the one after a fallback, an iteration, a route or a retry of the
// run.
struct TaskUnscheduled {};
struct TaskDispatched {};
struct TaskBackingOff {
  Timestamp retry_at;
};
// Few tasks wait, and what they wait for is large.
class TaskAwaiting {
 public:
  explicit TaskAwaiting(Wait wait) : wait_(std::make_shared<const Wait>(std::move(wait))) {}

  const Wait& wait() const { return *wait_; }

 private:
  std::shared_ptr<const Wait> wait_;
};
struct TaskDone {
  Payload output;
};
struct TaskGivenUp {
  Rare<Error> error;
};
using TaskState =
    std::variant<TaskUnscheduled, TaskDispatched, TaskBackingOff, TaskAwaiting, TaskDone, TaskGivenUp>;

// What most tasks don't have.
struct TaskDetails {
  std::string called;  // the agent that an expression chose
  std::string routed;  // the agent that a router chose
  std::string agent;   // of the current attempt, where it is not the one that the step names
  std::string cache_key;
  std::optional<Payload> last_output;  // of the iteration before
  std::optional<Error> last_error;     // of the link before
  std::optional<Budget> reserved;
};

struct TaskRecord {
  TaskState state;
  Payload input;
  bool has_input = false;
  TaskRole role = TaskRole::work;
  Attempt attempt;                     // the last one that was scheduled; 0 before the first
  std::uint32_t earlier_attempts = 0;  // those of other links, iterations and before a retry of the run
  std::uint32_t link = 0;              // of the chain
  std::uint32_t iteration = 1;
  Timestamp scheduled_at;                      // the current attempt
  std::optional<std::uint64_t> state_version;  // that its input was made from
  std::unique_ptr<TaskDetails> details;

  TaskDetails& detail() {
    if (!details) details = std::make_unique<TaskDetails>();
    return *details;
  }
};

// --- steps
// --------------------------------------------------------------------------------------------------------

// A payload that expressions look into; a large one is parsed once, a small one each time.
class ReadableValue {
 public:
  ReadableValue() = default;
  explicit ReadableValue(Payload payload) : payload_(std::move(payload)) {}

  const Payload& payload() const { return payload_; }
  expr::Value value() const;

 private:
  Payload payload_;
  mutable std::shared_ptr<const expr::Value> parsed_;
};

struct StepPending {};
// Its tasks are under way.
struct StepRunning {
  std::uint32_t next_item = 0;  // the first that is unscheduled; the number of items if none is
  std::uint32_t in_flight = 0;  // dispatched, backing off or awaiting
  std::uint32_t waiting = 0;    // of these, those that await something
  std::uint32_t ended = 0;      // done or given up
  std::uint32_t given_up = 0;
};
struct StepDone {
  ReadableValue output;
  Rare<Error> error;  // of items that the step went on without
};
struct StepBroken {
  Rare<Error> error;
};
struct StepNotTaken {};
struct StepCalledOff {};
using StepState = std::variant<StepPending, StepRunning, StepDone, StepBroken, StepNotTaken, StepCalledOff>;

// What most steps don't have.
struct StepDetails {
  expr::Value items;  // of a mapped step
  std::string agent;  // who performed it last, where it is not mapped and not the one that it names
  std::optional<RunId> sub_run;  // that performed it last, where it is not mapped
  Usage usage;
};

struct StepRecord {
  StepState state;
  std::uint32_t open_needs = 0;  // of the steps that it needs, those that have not ended
  std::uint32_t attempts = 0;
  std::uint32_t iterations = 1;  // of its task, where it is not mapped
  std::vector<TaskRecord> tasks;
  Rare<StepDetails> details;
  std::optional<Timestamp> started_at;
  std::optional<Timestamp> ended_at;
};

// --- run
// ----------------------------------------------------------------------------------------------------------

struct RunActive {};
struct RunOnHold {
  std::optional<StepIndex> step;  // whose failure waits for a person
  bool by_parent = false;
};
struct RunDone {
  Payload output;
};
struct RunBroken {
  Rare<Error> error;
  std::optional<StepIndex> step;
};
struct RunCalledOff {
  std::string reason;
};
using RunState = std::variant<RunActive, RunOnHold, RunDone, RunBroken, RunCalledOff>;

// What most runs don't have.
struct RunDetails {
  std::optional<RunForked> forked;
  std::set<std::pair<StepIndex, ItemIndex>> event_waits;
  std::vector<SignalReceived> signals;
  std::vector<std::string> seen_signals;  // the last kMaxSignals ids, oldest first
  std::optional<Budget> budget;
  Budget reserved;
  std::size_t reservations = 0;
  std::set<std::pair<StepIndex, ItemIndex>> postponed;
  std::map<std::string, Budget> largest;
};

enum class WakeupReason : std::uint8_t { retry, sleep, step_timeout, run_timeout };

struct Wakeup {
  Timestamp when;
  WakeupReason reason;
  StepIndex step;
  ItemIndex item;
};

}  // namespace ganglion

#pragma once

// The two directions between coordinators and agents. Down: tasks, each one attempt, at-least-once. Up:
// reports, each with the token of the attempt that it ends.
//
// The attempt's clock starts when the task is handed out, not when it is queued, and lives with whoever holds
// the queue: an attempt that runs out is reported as a failure with code `timeout` like any other. After a
// restart every task without a result is dispatched again under the same token; the first report wins.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ids.h"
#include "core/task.h"

namespace ganglion {

struct Task {
  AttemptToken token;
  std::uint32_t iteration = 1;  // of an `until`
  std::string agent;            // one that the definition of the run declares
  std::string definition;       // digest of the project file under which the run was started
  std::string workflow;
  std::string step;     // name
  bool mapped = false;  // whether token.item means something to the user
  Payload input;
  Duration timeout{};  // of this attempt, from hand-out
  std::optional<std::string> session_id;
  std::string traceparent;    // W3C; may be empty
  std::int32_t priority = 0;  // higher goes first
  // Tasks of the same priority are shared out evenly among these: the run's label `tenant`, else its
  // workflow.
  std::string fairness_key = {};
  // Another agent or a cached answer follows when this attempt fails for good: don't wait for an open
  // breaker.
  bool fallback_follows = false;
  // Of the snapshot that the input was made from, where an expression read the session's state.
  std::optional<std::uint64_t> state_version = {};
  Timestamp scheduled_at;

  // For side effects that must happen once: the same for every attempt of one iteration.
  std::string idempotency_key() const {
    const std::string key = token.idempotency_key();
    return iteration == 1 ? key : key + "/" + std::to_string(iteration);
  }
};

// Down: the coordinator's side calls, the agents' side implements.
class TaskQueue {
 public:
  virtual ~TaskQueue() = default;

  // Never blocks and never fails: the queue is bounded by the number of open runs and items, which admission
  // bounds. A token that is queued or handed out already is ignored.
  virtual void dispatch(Task task) = 0;
  // The attempt doesn't count any more (cancelled, timed out with its step, run ended): forget it, tell
  // whoever works on it.
  virtual void withdraw(const AttemptToken& token) = 0;
};

// Up: the agents' side calls, the coordinator's side implements.
class TaskReports {
 public:
  // An error (`unavailable`) means that nothing was decided; the same report may be made again.
  using Completion = std::move_only_function<void(Result<Verdict>)>;

  virtual ~TaskReports() = default;

  virtual void report(TaskReport report, Completion done) = 0;
};

}  // namespace ganglion

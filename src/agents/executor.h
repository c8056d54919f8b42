#pragma once

// How the engine itself carries out attempts of agents that are not workers: one executor per kind (process,
// http). The pool bounds how many attempts run at once and keeps their clocks; an executor only starts and
// stops them.

#include <functional>
#include <variant>

#include "base/time.h"
#include "core/ids.h"
#include "ports/tasks.h"

namespace ganglion {
struct AgentDefinition;
}

namespace ganglion::agents {

using Outcome = std::variant<TaskSuccess, TaskFailure>;

class Executor {
 public:
  using Completion = std::move_only_function<void(Outcome)>;

  virtual ~Executor() = default;

  // `done` is called exactly once, never inside the call, when nothing of the attempt is left behind (the
  // process is reaped, the connection is free). `task` and `agent` live during the call only. The deadline is
  // for information: whoever calls `start` cancels the attempt when it is due.
  virtual void start(const Task& task, const AgentDefinition& agent, Timestamp deadline, Completion done) = 0;

  // The attempt's outcome doesn't matter any more: ends it as soon as possible; `done` is still called. An
  // attempt that isn't running is ignored.
  virtual void cancel(const AttemptToken& token) = 0;
};

}  // namespace ganglion::agents

#pragma once

// One task in the pool, from its dispatch until its attempt is decided and nobody works on it. There may be
// tens of thousands that only wait, so what a waiting one doesn't need is allocated later.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "agents/executor.h"
#include "agents/fair_queue.h"
#include "base/payload.h"
#include "base/time.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion::agents {

struct Lane;

struct TaskEntry : FairQueue::Item {
  struct Queued {};
  // Somebody works on it.
  struct Working {
    TimerId timer;  // of the deadline or, if that is earlier, the next look at its heartbeats
  };
  // The pool itself has ended the attempt; its report is not decided yet.
  struct Reporting {
    std::unique_ptr<TaskReport> report;
    Duration pause{};
    TimerId timer;  // of the next try; 0 while one is under way
  };
  // Nobody wants its result; whoever holds it is being told.
  struct Cancelled {
    TimerId timer;  // the attempt's; 0 for an executor's, which says when it has ended
  };
  using State = std::variant<Queued, Working, Reporting, Cancelled>;

  // Whoever has it.
  struct Holder {
    std::string worker;  // may be empty
    Timestamp started_at;
    Timestamp deadline;
    Timestamp heard_from;  // the hand-out or the last heartbeat
    std::optional<double> progress = {};
    std::optional<Payload> details = {};
  };
  // How it counts against its agent's limits.
  enum class Slot : std::uint8_t {
    none,
    admitted,  // handed out here
    adopted,   // handed out before a restart
  };

  TaskEntry(Task of, std::shared_ptr<const AgentDefinition> by, Lane& in, Timestamp now)
      : task(std::move(of)), agent(std::move(by)), lane(in), queued_at(now) {}

  Task task;  // without its definition, which `agent` is from
  std::shared_ptr<const AgentDefinition> agent;
  Lane& lane;
  Timestamp queued_at;
  State state = Queued{};
  Slot slot = Slot::none;
  bool executing = false;          // an executor still owes its `done`
  std::unique_ptr<Holder> holder;  // since the hand-out
};

}  // namespace ganglion::agents

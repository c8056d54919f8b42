#pragma once

// Everything that waits for one agent: its tasks, the polls that would take them, and its limits. Entries and
// polls belong to the pool; a lane links them.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "agents/fair_queue.h"
#include "agents/lane_limits.h"
#include "agents/poll.h"
#include "ports/clock.h"

namespace ganglion::agents {

enum class LaneKind : std::uint8_t { worker, process, http };

struct Lane {
  Lane(std::string of, LaneKind as, std::uint64_t& serial) : agent(std::move(of)), kind(as), queued(serial) {}

  // Anybody may poll for any name, so lanes don't stay for nothing. One with limits stays: there are no more
  // of them than agents in project files, and a limit that is forgotten is none.
  bool unused() const { return entries == 0 && waiters.empty() && !dirty && !limits.remembers(); }
  // Whether a task could go to somebody now, as far as the queue and the limits know.
  bool ready(Timestamp now) const { return !queued.empty() && limits.hold(now) == Hold::nothing; }

  const std::string agent;
  const LaneKind kind;
  FairQueue queued;
  std::size_t entries = 0;        // tasks in whatever state
  std::size_t with_fallback = 0;  // queued ones that needn't wait for an open breaker
  std::set<PollTicket> waiters;   // oldest first; of lanes for workers
  LaneLimits limits;
  TimerId wake;  // at wake_at, when time may let the next task go
  Timestamp wake_at;
  bool dirty = false;  // the pool will match it in this turn of the loop
};

}  // namespace ganglion::agents

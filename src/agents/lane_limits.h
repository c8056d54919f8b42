#pragma once

// What an agent's definition allows: how many attempts at once, how many per time, and none while it is
// broken. One place asks all three before a hand-out and tells all three what came of it.
//
// Runs of different project files may call the same agent. They share its limits, and the newest run's file
// says what these are: it is the one that was written last. (Run ids sort by time.)

#include <cstddef>
#include <optional>

#include "agents/circuit_breaker.h"
#include "agents/poll.h"
#include "agents/rate_limiter.h"
#include "base/time.h"
#include "core/ids.h"
#include "core/workflow.h"

namespace ganglion::agents {

class LaneLimits {
 public:
  // Of a task of `run`. `usual_concurrency` holds where the definition says nothing.
  void configure(const AgentDefinition& agent, const RunId& run, std::optional<std::size_t> usual_concurrency,
                 Timestamp now);

  // What keeps the next task from being handed out at this moment.
  Hold hold(Timestamp now) const;
  // When time alone ends it; nothing if an attempt has to end first.
  std::optional<Timestamp> held_until(Timestamp now) const;
  // Whether tasks that have somewhere else to go should go there.
  bool turns_away(Timestamp now) const { return breaker_ && !breaker_->admits(now); }

  // Call when nothing holds.
  void handed_out(const AttemptToken& token, Timestamp now);
  // An attempt that was handed out by somebody else (before a restart) goes on: it counts, but nothing asks
  // whether there is room.
  void adopted() { ++handed_out_; }
  // Never reached the agent.
  void put_back(const AttemptToken& token, Timestamp handed_out_at, Timestamp now);
  // Somebody who held it doesn't any more.
  void released(const AttemptToken& token);

  // What the agent did with an attempt that counted.
  void answered(const AttemptToken& token);
  void failed(const AttemptToken& token, Timestamp now);
  // The attempt doesn't count any more, whatever becomes of it.
  void abandoned(const AttemptToken& token);

  std::size_t handed_out() const { return handed_out_; }
  std::optional<BreakerState> breaker(Timestamp now) const;
  // Whether there is something that a lane without tasks must not forget.
  bool remembers() const { return breaker_ || rate_; }

 private:
  std::optional<std::size_t> concurrency_;
  std::optional<RateLimiter> rate_;
  std::optional<Breaker> breaker_;
  std::size_t handed_out_ = 0;
  RunId newest_;
};

}  // namespace ganglion::agents

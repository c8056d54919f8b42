#pragma once

// Keeps tasks from an agent that fails, so that a broken one isn't hammered and its tasks go elsewhere or
// wait.
//
//   closed --N failures within the window--> open --its time is over--> half-open --probe succeeds--> closed
//                                             ^-------------------------probe fails----'
//
// Open and half-open differ by the clock only: nothing has to happen for an open breaker to become half-open.
// While half-open, one attempt at a time is let through, the probe, and only its outcome decides. Outcomes of
// attempts that were handed out before the breaker opened don't count any more: they say what the agent was
// like, not what it is like. A probe that ends without an outcome (cancelled, handed back) makes room for
// another.

#include <cstddef>
#include <deque>
#include <optional>
#include <variant>

#include "base/time.h"
#include "core/ids.h"
#include "core/workflow.h"

namespace ganglion::agents {

enum class BreakerState { closed, open, half_open };

class Breaker {
 public:
  explicit Breaker(CircuitBreaker settings) : settings_(settings) {}

  // What it remembers stays, as far as the new settings have room for it.
  void configure(CircuitBreaker settings);

  BreakerState state(Timestamp now) const;
  // Whether an attempt may be handed out.
  bool admits(Timestamp now) const;
  // When an open breaker becomes half-open.
  std::optional<Timestamp> open_until(Timestamp now) const;

  // Call when `admits`: what is handed out by a half-open breaker is its probe.
  void handed_out(const AttemptToken& token, Timestamp now);
  // The agent has answered, if only to say that the task can't be done.
  void answered(const AttemptToken& token);
  void failed(const AttemptToken& token, Timestamp now);
  // Ended, and nobody knows how the agent would have done.
  void abandoned(const AttemptToken& token);

 private:
  struct Closed {
    std::deque<Timestamp> failures;  // the latest, at most settings_.failures - 1
  };
  struct Opened {
    Timestamp until;
    std::optional<AttemptToken> probe;  // under way; only once `until` has come
  };

  bool is_probe(const AttemptToken& token) const;

  CircuitBreaker settings_;
  std::variant<Closed, Opened> state_;
};

}  // namespace ganglion::agents

#pragma once

// Time and the event loop's queue. `now()` is wall time that never goes back and doesn't jump while the
// process lives (it advances by monotonic time). Everything runs on one thread: callbacks run one after
// another, never inside a call.

#include <cstdint>
#include <functional>

#include "base/strong_id.h"
#include "base/time.h"

namespace ganglion {

using TimerId = StrongId<struct TimerIdTag, std::uint64_t>;

class Clock {
 public:
  virtual ~Clock() = default;

  virtual Timestamp now() const = 0;

  // Runs `callback` once, not before `when` and at most a few milliseconds after it. Id 0 is never given out.
  virtual TimerId at(Timestamp when, std::move_only_function<void()> callback) = 0;
  // A timer that has fired or was cancelled before is ignored.
  virtual void cancel(TimerId timer) = 0;

  // Runs `callback` soon, after what is running now has returned.
  virtual void post(std::move_only_function<void()> callback) = 0;
};

}  // namespace ganglion

#pragma once

// At most `count` hand-outs per `per`, evenly: the generic cell rate algorithm (ITU-T I.371, in the form of
// the theoretical arrival time). After a pause a burst may come, of at most what one second allows, at least
// one. So in any time t at most burst + t·count/per are handed out.
//
// A new limiter begins without a saved-up burst: one hand-out at once, the next ones at the rate. So a server
// that is restarted again and again, or a limit that changes, gives nothing away.
//
// Nanoseconds inside, because at a million a second a millisecond holds a thousand.

#include <cstdint>

#include "base/time.h"
#include "core/workflow.h"

namespace ganglion::agents {

class RateLimiter {
 public:
  RateLimiter(Rate rate, Timestamp now);

  // What may be handed out at this moment stays what it was, as far as the new burst has room for it.
  void configure(Rate rate, Timestamp now);

  bool admits(Timestamp now) const { return now >= next(); }
  // The earliest moment at which `admits`.
  Timestamp next() const;

  // Call when `admits`.
  void take(Timestamp now);
  // What was taken at that time wasn't used. Gives back as much of it as time hasn't given back already.
  void give_back(Timestamp taken_at, Timestamp now);

 private:
  void set(Rate rate);

  Rate rate_;
  std::int64_t interval_ = 0;  // between two at the rate; rounded up
  std::int64_t burst_ = 1;     // hand-outs
  std::int64_t free_at_ = 0;   // when the whole burst will be saved up (the theoretical arrival time)
  Timestamp changed_at_;       // what was taken before that isn't given back
};

}  // namespace ganglion::agents

#include "bench/load/run_meter.h"

namespace ganglion::bench {

std::optional<Steady::time_point> RunMeter::next(Steady::time_point now) {
  Steady::time_point intended = now;
  if (rate_) {
    // From the start each time: what is rounded off doesn't add up.
    const std::chrono::duration<double> since_start(static_cast<double>(started_) / *rate_);
    intended = start_ + std::chrono::duration_cast<Steady::duration>(since_start);
  }
  if (intended >= window_.end) return std::nullopt;
  ++started_;
  return intended;
}

void RunMeter::completed(Steady::time_point intended, Steady::time_point now) {
  if (window_.contains(now)) ++ended_in_window_;
  if (window_.contains(rate_ ? intended : now)) latency_.record(now - intended);
}

void RunMeter::unfinished(Steady::time_point intended, Steady::time_point now) {
  if (rate_ && !window_.contains(intended)) return;
  ++unfinished_;
  latency_.record(now - intended);
}

void RunMeter::abandon_the_rest(Steady::time_point now) {
  if (!rate_) return;
  while (const auto intended = next(now)) unfinished(*intended, now);
}

}  // namespace ganglion::bench

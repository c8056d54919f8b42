#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace ganglion {

// How long to stay away from a server that does not answer: random between half and all of a limit that
// doubles from 0.1 s to 5 s.
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;

  bool over(Clock::time_point now) const { return now >= until_; }
  Clock::time_point until() const { return until_; }
  void reset() { limit_ = kFirst; }
  // Counts a failure. `at_least`: what the server asked for, of which at most a minute is honoured.
  std::chrono::milliseconds fail(Clock::time_point now, double at_least_seconds) {
    std::uniform_real_distribution<double> share(0.5, 1.0);
    const double pause = std::max(limit_ * share(random_), std::min(at_least_seconds, 60.0));
    limit_ = std::min(limit_ * 2, kLimit);
    const std::chrono::milliseconds rounded(static_cast<long>(pause * 1000));
    until_ = now + rounded;
    return rounded;
  }
  // For a worker that stops and should not sit out a long pause.
  void cut(Clock::time_point at) { until_ = std::min(until_, at); }

 private:
  static constexpr double kFirst = 0.1;
  static constexpr double kLimit = 5.0;
  double limit_ = kFirst;
  Clock::time_point until_{};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace ganglion

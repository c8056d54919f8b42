#pragma once

// When a load generator starts runs, and which of them count.
//
// A closed loop starts the next run when the last has ended: it measures how fast the server can go. An open
// loop starts runs at a fixed rate, whatever the server does, as the world would. What is measured then is
// the time from when a run was meant to start: where the server stalls, the runs that could not be sent in
// time have waited as well, and a generator that forgot them would omit just the bad moments (coordinated
// omission, G. Tene, "How NOT to measure latency", 2013).

#include <chrono>
#include <cstdint>
#include <optional>

#include "bench/load/histogram.h"

namespace ganglion::bench {

using Steady = std::chrono::steady_clock;

// What is measured: [begin, end). Before it the server warms up. The clock is the same in all processes.
struct Window {
  Steady::time_point begin;
  Steady::time_point end;

  bool contains(Steady::time_point time) const { return begin <= time && time < end; }
};

class RunMeter {
 public:
  // `rate` runs a second, the first one at `start`; without it the loop is closed. Both loops end with the
  // window.
  RunMeter(Window window, Steady::time_point start, std::optional<double> rate)
      : window_(window), start_(start), rate_(rate) {}

  // When the next run is meant to start, asked for by a client that is free; nothing at the end.
  std::optional<Steady::time_point> next(Steady::time_point now);
  // A run that was meant to start at `intended` has ended.
  void completed(Steady::time_point intended, Steady::time_point now);
  // A run that was given up at the end: it has taken at least so long.
  void unfinished(Steady::time_point intended, Steady::time_point now);
  // At the end, of an open loop: those that no client has become free for are unfinished.
  void abandon_the_rest(Steady::time_point now);

  // From the intended start to the end. Of a closed loop the runs that ended within the window, of an open
  // one those that were meant to start in it, however late they ended.
  const Histogram& latency() const { return latency_; }
  std::uint64_t ended_in_window() const { return ended_in_window_; }
  std::uint64_t unfinished_runs() const { return unfinished_; }

 private:
  Window window_;
  Steady::time_point start_;
  std::optional<double> rate_;
  std::uint64_t started_ = 0;
  std::uint64_t ended_in_window_ = 0;
  std::uint64_t unfinished_ = 0;
  Histogram latency_;
};

}  // namespace ganglion::bench

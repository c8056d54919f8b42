#pragma once

// The clock of one simulated process: its share of the timeline. While the process is paused (SIGSTOP)
// nothing of it runs; what came due meanwhile runs when it goes on. When it has died, nothing of it runs ever
// again.
//
// Wall time is taken from the host when the process starts and moves with the timeline from there, as the
// real loop's does: setting the host's clock moves nothing in processes that live.
//
// A process has one thread. Whoever knows what a piece of work costs charges it while the callback runs; then
// the thread is busy for that long, what comes due meanwhile waits its turn, and what the callback sends
// leaves when the thread has done what was charged so far (`free_at`). Where nothing is charged, callbacks
// take no time.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "ports/clock.h"
#include "sim/kernel/timeline.h"
#include "sim/world/service_times.h"

namespace ganglion::sim {

class ProcessClock final : public Clock {
 public:
  // `wall` is the host's wall time now. `timeline` outlives this.
  ProcessClock(Timeline& timeline, Timestamp wall, const ServiceTimes& times = {});
  ~ProcessClock() override;

  Timestamp now() const override;
  TimerId at(Timestamp when, std::move_only_function<void()> callback) override;
  void cancel(TimerId timer) override;
  void post(std::move_only_function<void()> callback) override;

  void not_before(Timestamp time);

  void pause() { paused_ = true; }
  void go_on();
  bool paused() const { return paused_; }
  // The end: nothing runs any more. What waits is dropped with the clock, not here: whoever stops a process
  // may be called by it.
  void stop() { stopped_ = true; }

  std::size_t pending() const { return waiting_.size(); }

  // --- the thread ---
  const ServiceTimes& times() const { return times_; }
  void charge(WorkTime work);
  // When it has done what it was charged with: now, if it is idle.
  SimTime free_at() const;
  // How long it has been busy, up to now.
  WorkTime worked() const;

 private:
  struct Waiting {
    MomentId moment;
    std::move_only_function<void()> callback;
  };

  TimerId wait(SimTime when, std::move_only_function<void()> callback);
  void due(TimerId timer);
  void run(TimerId timer);
  void run_held();

  Timeline& timeline_;
  const ServiceTimes times_;
  WorkTime busy_until_{};
  WorkTime charged_{};
  std::int64_t offset_us_;  // wall time = timeline + this
  TimerId last_;
  std::map<TimerId, Waiting> waiting_;
  std::deque<TimerId> held_;  // came due during a pause or while it was busy, and have not run yet, in order
  MomentId next_held_;
  bool paused_ = false;
  bool stopped_ = false;
};

}  // namespace ganglion::sim

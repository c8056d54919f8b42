#include "sim/world/process_clock.h"

#include <algorithm>
#include <utility>

namespace ganglion::sim {

ProcessClock::ProcessClock(Timeline& timeline, Timestamp wall)
    : timeline_(timeline), offset_us_(wall.milliseconds_since_epoch() * 1'000 - timeline.now().count()) {}

ProcessClock::~ProcessClock() {
  stop();
  for (const auto& [timer, waiting] : waiting_) timeline_.call_off(waiting.moment);
  // What is dropped may drop more.
  while (!waiting_.empty()) std::exchange(waiting_, {});
}

Timestamp ProcessClock::now() const {
  return Timestamp((timeline_.now().count() + offset_us_) / 1'000);
}

TimerId ProcessClock::at(Timestamp when, std::move_only_function<void()> callback) {
  return wait(SimTime(when.milliseconds_since_epoch() * 1'000 - offset_us_), std::move(callback));
}

void ProcessClock::post(std::move_only_function<void()> callback) {
  wait(timeline_.now(), std::move(callback));
}

TimerId ProcessClock::wait(SimTime when, std::move_only_function<void()> callback) {
  if (stopped_) return {};
  last_ = last_.next();
  const MomentId moment = timeline_.at(when, [this, timer = last_] { due(timer); });
  waiting_.emplace_hint(waiting_.end(), last_, Waiting{moment, std::move(callback)});
  return last_;
}

void ProcessClock::cancel(TimerId timer) {
  const auto found = waiting_.find(timer);
  if (found == waiting_.end()) return;
  timeline_.call_off(found->second.moment);
  waiting_.erase(found);
}

void ProcessClock::due(TimerId timer) {
  if (stopped_) return;
  if (paused_) {
    held_.push_back(timer);
    return;
  }
  run(timer);
}

void ProcessClock::run(TimerId timer) {
  auto found = waiting_.extract(timer);
  if (!found.empty()) found.mapped().callback();
}

void ProcessClock::go_on() {
  paused_ = false;
  for (const TimerId timer : std::exchange(held_, {})) {
    const auto found = waiting_.find(timer);
    if (found == waiting_.end()) continue;
    found->second.moment = timeline_.at(timeline_.now(), [this, timer] { due(timer); });
  }
}

void ProcessClock::not_before(Timestamp time) {
  offset_us_ = std::max(offset_us_, time.milliseconds_since_epoch() * 1'000 - timeline_.now().count());
}

}  // namespace ganglion::sim

#include "sim/world/process_clock.h"

#include <algorithm>
#include <utility>

namespace ganglion::sim {

ProcessClock::ProcessClock(Timeline& timeline, Timestamp wall, const ServiceTimes& times)
    : timeline_(timeline),
      times_(times),
      offset_us_(wall.milliseconds_since_epoch() * 1'000 - timeline.now().count()) {}

ProcessClock::~ProcessClock() {
  stop();
  timeline_.call_off(next_held_);
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
  const bool is_busy = free_at() > timeline_.now();
  if (is_busy && !paused_ && held_.empty()) {
    next_held_ = timeline_.at(free_at(), [this] { run_held(); });
  }
  if (paused_ || is_busy || !held_.empty()) {
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
  if (!std::exchange(paused_, false) || held_.empty()) return;
  timeline_.call_off(next_held_);
  next_held_ = timeline_.at(timeline_.now(), [this] { run_held(); });
}

// One at a time, as everything else: a process may die or be paused between any two.
void ProcessClock::run_held() {
  if (stopped_ || paused_ || held_.empty()) return;
  if (free_at() > timeline_.now()) {
    next_held_ = timeline_.at(free_at(), [this] { run_held(); });
    return;
  }
  const TimerId timer = held_.front();
  held_.pop_front();
  if (!held_.empty()) next_held_ = timeline_.at(timeline_.now(), [this] { run_held(); });
  run(timer);
}

// The thread's time is finer than the timeline's: cut to its microsecond, so that no fraction of one is lost
// between two pieces of work that follow each other.
SimTime ProcessClock::free_at() const {
  return std::max(timeline_.now(), std::chrono::floor<SimTime>(busy_until_));
}

void ProcessClock::charge(WorkTime work) {
  if (work == WorkTime(0)) return;
  busy_until_ = std::max<WorkTime>(busy_until_, timeline_.now()) + work;
  charged_ += work;
}

WorkTime ProcessClock::worked() const {
  return charged_ - std::max(busy_until_ - WorkTime(timeline_.now()), WorkTime(0));
}

void ProcessClock::not_before(Timestamp time) {
  offset_us_ = std::max(offset_us_, time.milliseconds_since_epoch() * 1'000 - timeline_.now().count());
}

}  // namespace ganglion::sim

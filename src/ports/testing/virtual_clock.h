#pragma once

// A clock for tests that only moves when it is told to: hours pass in microseconds, and the order of
// callbacks is the same every time (by due time, then in the order in which they were asked for).

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "base/assert.h"
#include "ports/clock.h"

namespace ganglion::testing {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Timestamp start = Timestamp(1'700'000'000'000)) : now_(start) {}

  Timestamp now() const override { return now_; }

  TimerId at(Timestamp when, std::move_only_function<void()> callback) override {
    const TimerId timer = next_timer_;
    next_timer_ = next_timer_.next();
    due_.emplace(timer, when);
    timers_.emplace(std::pair(when, timer), std::move(callback));
    return timer;
  }

  void cancel(TimerId timer) override {
    const auto due = due_.find(timer);
    if (due == due_.end()) return;
    timers_.erase(std::pair(due->second, timer));
    due_.erase(due);
  }

  void post(std::move_only_function<void()> callback) override { posted_.push_back(std::move(callback)); }

  // Runs what is posted or due, and what that posts, until nothing is left to do at this moment.
  void run() {
    for (std::size_t turns = 0; run_one(now_); ++turns) GANGLION_ASSERT(turns < kMaxTurns);
  }

  // Runs everything that comes due on the way, each at its time.
  void advance(Duration by) {
    const Timestamp until = now_ + by;
    for (std::size_t turns = 0; run_one(until); ++turns) GANGLION_ASSERT(turns < kMaxTurns);
    now_ = until;
  }

  std::size_t pending_timers() const { return timers_.size(); }

 private:
  // More is a loop that never ends.
  static constexpr std::size_t kMaxTurns = 100'000'000;

  bool run_one(Timestamp until) {
    std::move_only_function<void()> callback;
    if (!posted_.empty()) {
      callback = std::move(posted_.front());
      posted_.pop_front();
    } else if (!timers_.empty() && timers_.begin()->first.first <= until) {
      auto timer = timers_.extract(timers_.begin());
      due_.erase(timer.key().second);
      if (timer.key().first > now_) now_ = timer.key().first;
      callback = std::move(timer.mapped());
    } else {
      return false;
    }
    callback();
    return true;
  }

  Timestamp now_;
  TimerId next_timer_{1};
  std::deque<std::move_only_function<void()>> posted_;
  std::map<std::pair<Timestamp, TimerId>, std::move_only_function<void()>> timers_;
  std::map<TimerId, Timestamp> due_;
};

}  // namespace ganglion::testing

#include "agents/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace ganglion::agents {
namespace {

constexpr std::int64_t kPerMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000 * kPerMillisecond;

std::int64_t nanoseconds(Timestamp time) {
  return time.milliseconds_since_epoch() * kPerMillisecond;
}

}  // namespace

RateLimiter::RateLimiter(Rate rate, Timestamp now) : changed_at_(now) {
  set(rate);
  free_at_ = nanoseconds(now) + (burst_ - 1) * interval_;
}

void RateLimiter::set(Rate rate) {
  rate_ = rate;
  const std::int64_t count = std::max<std::int64_t>(rate.count, 1);
  const std::int64_t per = std::max<std::int64_t>(rate.per.count(), 1) * kPerMillisecond;
  interval_ = (per + count - 1) / count;
  burst_ = std::max<std::int64_t>(kSecond / interval_, 1);
}

void RateLimiter::configure(Rate rate, Timestamp now) {
  if (rate.count == rate_.count && rate.per == rate_.per) return;
  const std::int64_t used_time = std::max<std::int64_t>(free_at_ - nanoseconds(now), 0);
  const double used = static_cast<double>(used_time) / static_cast<double>(interval_);
  const double saved = static_cast<double>(burst_) - used;
  set(rate);
  changed_at_ = now;
  const double missing = static_cast<double>(burst_) - std::min(saved, static_cast<double>(burst_));
  free_at_ =
      nanoseconds(now) + static_cast<std::int64_t>(std::ceil(missing * static_cast<double>(interval_)));
}

Timestamp RateLimiter::next() const {
  const std::int64_t at = free_at_ - (burst_ - 1) * interval_;
  return Timestamp((at + kPerMillisecond - 1) / kPerMillisecond);
}

void RateLimiter::take(Timestamp now) {
  free_at_ = std::max(free_at_, nanoseconds(now)) + interval_;
}

void RateLimiter::give_back(Timestamp taken_at, Timestamp now) {
  if (taken_at < changed_at_) return;
  free_at_ -= std::max<std::int64_t>(interval_ - (nanoseconds(now) - nanoseconds(taken_at)), 0);
}

}  // namespace ganglion::agents

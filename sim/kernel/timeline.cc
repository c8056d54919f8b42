#include "sim/kernel/timeline.h"

#include <algorithm>
#include <utility>

namespace ganglion::sim {

MomentId Timeline::at(SimTime when, Callback callback) {
  std::uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot].callback = std::move(callback);
  heap_.push_back({std::max(when, now_), ++order_, slot, slots_[slot].generation});
  std::ranges::push_heap(heap_, later);
  ++pending_;
  return MomentId((std::uint64_t{slots_[slot].generation} << 32 | slot) + 1);
}

void Timeline::call_off(MomentId moment) {
  if (moment == MomentId()) return;
  const std::uint64_t bits = moment.value() - 1;
  const auto slot = static_cast<std::uint32_t>(bits);
  if (slots_[slot].generation != static_cast<std::uint32_t>(bits >> 32)) return;
  const Callback dropped = take(slot);
}

// Frees the slot; what the heap still says about it counts no more.
Timeline::Callback Timeline::take(std::uint32_t slot) {
  Callback callback = std::exchange(slots_[slot].callback, {});
  ++slots_[slot].generation;
  free_.push_back(slot);
  --pending_;
  return callback;
}

void Timeline::drop_called_off() {
  while (!heap_.empty() && is_called_off(heap_.front())) {
    std::ranges::pop_heap(heap_, later);
    heap_.pop_back();
  }
}

bool Timeline::step(SimTime until) {
  drop_called_off();
  if (heap_.empty() || heap_.front().when > until) {
    now_ = std::max(now_, until);
    return false;
  }
  std::ranges::pop_heap(heap_, later);
  const Entry next = heap_.back();
  heap_.pop_back();
  now_ = next.when;
  ++steps_;
  Callback callback = take(next.slot);
  callback();
  return true;
}

}  // namespace ganglion::sim

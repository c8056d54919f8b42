#include "ingress/http/deadline_wheel.h"

#include <algorithm>
#include <utility>

namespace ganglion::http {

void DeadlineWheel::Entry::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  next_ = nullptr;
  link_ = nullptr;
  --wheel_->armed_;
}

void DeadlineWheel::link(Entry*& head, Entry& entry) {
  entry.next_ = head;
  entry.link_ = &head;
  entry.wheel_ = this;
  if (head != nullptr) head->link_ = &entry.next_;
  head = &entry;
  ++armed_;
}

void DeadlineWheel::arm(Entry& entry, Timestamp when) {
  entry.unlink();
  entry.when_ = when;
  link(slot(std::max(tick_of(when), last_tick_)), entry);
}

void DeadlineWheel::expire(std::int64_t tick, Timestamp now) {
  // The list is taken aside: what the callbacks arm or destroy then can't disturb the walk.
  Entry* due = std::exchange(slot(tick), nullptr);
  if (due != nullptr) due->link_ = &due;
  while (due != nullptr) {
    Entry& entry = *due;
    entry.unlink();
    if (entry.when_ > now) {
      link(slot(tick), entry);
    } else {
      entry.deadline_passed();
    }
  }
}

void DeadlineWheel::advance(Timestamp now) {
  const std::int64_t now_tick = tick_of(now);
  if (now_tick < last_tick_) return;
  // The slot of the current tick is visited again next time: a deadline may lie in its later part.
  const std::int64_t first = std::max(last_tick_, now_tick - static_cast<std::int64_t>(kSlots) + 1);
  last_tick_ = now_tick;
  for (std::int64_t tick = first; tick <= now_tick; ++tick) expire(tick, now);
}

}  // namespace ganglion::http

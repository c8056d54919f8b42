#include "adapters/system/timer_heap.h"

#include <utility>

#include "base/assert.h"

namespace ganglion {
namespace {

// An id is the slot's generation above the slot's index; generations start at 1, so that no id is 0.
TimerId make_id(std::uint32_t generation, std::uint32_t slot) {
  return TimerId((std::uint64_t{generation} << 32) | slot);
}

}  // namespace

TimerId TimerHeap::add(Timestamp when, Callback callback) {
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    GANGLION_ASSERT(slots_.size() < UINT32_MAX);
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].callback = std::move(callback);
  slots_[slot].waiting = true;
  heap_.emplace_back();
  place(heap_.size() - 1, Entry{when, next_order_++, slot});
  sift_up(heap_.size() - 1);
  return make_id(slots_[slot].generation, slot);
}

bool TimerHeap::cancel(TimerId timer) {
  const auto slot = static_cast<std::uint32_t>(timer.value());
  const auto generation = static_cast<std::uint32_t>(timer.value() >> 32);
  if (slot >= slots_.size() || slots_[slot].generation != generation || !slots_[slot].waiting) return false;
  // Destroyed only after the heap is whole again: what the callback owns may cancel other timers.
  const Callback cancelled = remove(slots_[slot].position);
  return true;
}

std::optional<Timestamp> TimerHeap::earliest() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().when;
}

std::optional<TimerHeap::Callback> TimerHeap::take_due(Timestamp now) {
  if (heap_.empty() || heap_.front().when > now) return std::nullopt;
  return remove(0);
}

void TimerHeap::place(std::size_t position, Entry entry) {
  heap_[position] = entry;
  slots_[entry.slot].position = static_cast<std::uint32_t>(position);
}

void TimerHeap::sift_up(std::size_t position) {
  const Entry entry = heap_[position];
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!entry.before(heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerHeap::sift_down(std::size_t position) {
  const Entry entry = heap_[position];
  for (;;) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].before(heap_[child])) ++child;
    if (!heap_[child].before(entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

TimerHeap::Callback TimerHeap::remove(std::size_t position) {
  const std::uint32_t slot = heap_[position].slot;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position < heap_.size()) {
    place(position, last);
    sift_up(position);
    sift_down(slots_[last.slot].position);
  }
  Callback callback = std::move(slots_[slot].callback);
  slots_[slot].callback = nullptr;
  slots_[slot].waiting = false;
  // After 2^32 uses of one slot an id could come back; its timer would have to be that old as well.
  if (++slots_[slot].generation == 0) slots_[slot].generation = 1;
  free_slots_.push_back(slot);
  return callback;
}

}  // namespace ganglion

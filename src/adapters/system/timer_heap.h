#pragma once

// Timers in the order in which they are due: a binary heap over slots, so that a timer costs two small array
// entries and is cancelled in O(log n). Timers for the same moment come out in the order in which they were
// set. Knows no clock.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"
#include "ports/clock.h"

namespace ganglion {

class TimerHeap {
 public:
  using Callback = std::move_only_function<void()>;

  TimerId add(Timestamp when, Callback callback);
  // False if the timer is not waiting any more.
  bool cancel(TimerId timer);

  std::optional<Timestamp> earliest() const;
  // Takes out the earliest timer if it is due at `now`.
  std::optional<Callback> take_due(Timestamp now);

  std::size_t size() const { return heap_.size(); }

 private:
  // A slot is used again after its timer is gone; the generation tells the two ids apart.
  struct Slot {
    Callback callback;
    std::uint32_t generation = 1;
    std::uint32_t position = 0;  // in heap_, while waiting
    bool waiting = false;
  };
  struct Entry {
    Timestamp when;
    std::uint64_t order;
    std::uint32_t slot;

    bool before(const Entry& other) const {
      return when < other.when || (when == other.when && order < other.order);
    }
  };

  void place(std::size_t position, Entry entry);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);
  Callback remove(std::size_t position);

  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace ganglion

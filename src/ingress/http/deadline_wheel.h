#pragma once

// Deadlines of many connections at the price of one timer: a hashed wheel of intrusive lists (Varghese and
// Lauck, 1987). Arming and disarming are O(1) and allocate nothing. A deadline fires at the first `advance`
// that isn't before it, so never early and late by at most the tick. One that lies further away than the
// wheel's circumference waits for another round. Without I/O and without a clock: the owner calls `advance`.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace ganglion::http {

class DeadlineWheel {
 public:
  static constexpr Duration kTick{250};
  static constexpr std::size_t kSlots = 256;

  // A thing with one deadline. It disarms itself when it dies; the wheel outlives it.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    bool armed() const { return link_ != nullptr; }

   protected:
    ~Entry() { unlink(); }
    // Disarmed when called; may arm itself again, or destroy itself and others.
    virtual void deadline_passed() = 0;

   private:
    friend class DeadlineWheel;
    void unlink();

    Entry* next_ = nullptr;
    Entry** link_ = nullptr;  // the pointer that points here: a list's head or a neighbour's `next_`
    DeadlineWheel* wheel_ = nullptr;
    Timestamp when_;
  };

  // Replaces an earlier deadline of the entry.
  void arm(Entry& entry, Timestamp when);
  void disarm(Entry& entry) { entry.unlink(); }

  void advance(Timestamp now);
  bool empty() const { return armed_ == 0; }

 private:
  static std::int64_t tick_of(Timestamp when) { return when.milliseconds_since_epoch() / kTick.count(); }
  Entry*& slot(std::int64_t tick) { return slots_[static_cast<std::size_t>(tick) % kSlots]; }
  void link(Entry*& head, Entry& entry);
  void expire(std::int64_t tick, Timestamp now);

  std::array<Entry*, kSlots> slots_{};
  std::size_t armed_ = 0;
  std::int64_t last_tick_ = 0;
};

}  // namespace ganglion::http

#pragma once

// The world's only clock and its only queue: what happens next is the earliest thing that was asked for, and
// of two at the same moment the one that was asked for first. Everything else in the simulator, and
// everything of the engine under it, runs inside one of these callbacks; so a world is a single thread, and
// the same requests give the same story on any machine.

#include <cstdint>
#include <functional>
#include <vector>

#include "base/strong_id.h"
#include "sim/kernel/sim_time.h"

namespace ganglion::sim {

using MomentId = StrongId<struct MomentIdTag, std::uint64_t>;

class Timeline {
 public:
  using Callback = std::move_only_function<void()>;

  SimTime now() const { return now_; }

  // Runs `callback` at `when`, or if that has passed, now: never inside this call, and after what was asked
  // for before. Id 0 is never given out.
  MomentId at(SimTime when, Callback callback);
  MomentId after(SimTime delay, Callback callback) { return at(now_ + delay, std::move(callback)); }
  // A moment that has come or was called off is ignored.
  void call_off(MomentId moment);

  // Runs what comes next, if it comes not later than `until`; else moves to `until`. False if it moved there.
  bool step(SimTime until);
  void run_until(SimTime until) {
    while (step(until)) {
    }
  }

  std::uint64_t steps() const { return steps_; }
  std::size_t pending() const { return pending_; }

 private:
  // A callback waits in a slot; the heap knows it by slot and generation, so that calling it off is cheap.
  struct Slot {
    Callback callback;
    std::uint32_t generation = 0;
  };
  struct Entry {
    SimTime when;
    std::uint64_t order;
    std::uint32_t slot;
    std::uint32_t generation;
  };

  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }
  bool is_called_off(const Entry& entry) const { return slots_[entry.slot].generation != entry.generation; }
  Callback take(std::uint32_t slot);
  void drop_called_off();

  SimTime now_{};
  std::uint64_t order_ = 0;
  std::uint64_t steps_ = 0;
  std::size_t pending_ = 0;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace ganglion::sim

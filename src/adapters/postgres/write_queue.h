#pragma once

// Writes in the order of the calls, until they are taken as a group. One that is refused here is told in its
// turn: what it held is given back, its place is kept.

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "adapters/postgres/write.h"

namespace ganglion::postgres {

// One transaction holds at most this much. More would not spread the sync much thinner, but delay the first.
inline constexpr std::size_t kMaxGroupWrites = 1024;
inline constexpr std::size_t kMaxGroupBytes = 8 << 20;
// Beyond this a write is refused.
inline constexpr std::size_t kMaxQueuedBytes = 64 << 20;

class WriteQueue {
 public:
  explicit WriteQueue(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  void push(Write write);
  bool empty() const { return waiting_.empty(); }

  // The next group; those that were refused lie among the others in their order.
  std::vector<Write> take_group();
  // All that have waited for at least this long, from the front.
  std::vector<Write> take_older_than(std::chrono::steady_clock::duration age);

 private:
  struct Waiting {
    Write write;
    std::size_t bytes;
    std::chrono::steady_clock::time_point since;
  };

  Write take_front();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::deque<Waiting> waiting_;
};

}  // namespace ganglion::postgres

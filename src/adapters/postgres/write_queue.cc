#include "adapters/postgres/write_queue.h"

#include <utility>

namespace ganglion::postgres {

using Steady = std::chrono::steady_clock;

void WriteQueue::push(Write write) {
  std::size_t bytes = write.bytes();
  if (bytes_ > 0 && bytes_ + bytes > max_bytes_) {
    write.refused = "too much waits to be written; try again later";
    write.calls = {};
    bytes = 0;
  }
  bytes_ += bytes;
  waiting_.push_back({std::move(write), bytes, Steady::now()});
}

Write WriteQueue::take_front() {
  Write front = std::move(waiting_.front().write);
  bytes_ -= waiting_.front().bytes;
  waiting_.pop_front();
  return front;
}

std::vector<Write> WriteQueue::take_group() {
  std::vector<Write> group;
  std::size_t bytes = 0;
  while (!waiting_.empty() && group.size() < kMaxGroupWrites && bytes < kMaxGroupBytes) {
    const bool alone = waiting_.front().write.alone;
    if (alone && !group.empty()) break;
    bytes += waiting_.front().bytes;
    group.push_back(take_front());
    if (alone) break;
  }
  return group;
}

std::vector<Write> WriteQueue::take_older_than(Steady::duration age) {
  std::vector<Write> old;
  const auto latest = Steady::now() - age;
  while (!waiting_.empty() && waiting_.front().since <= latest) old.push_back(take_front());
  return old;
}

}  // namespace ganglion::postgres

#pragma once

// What waits for the writer's thread: writes in the order of the calls, and reads. The event loop pushes; the
// writer takes everything that waits, up to a bound, as one group.
//
// Blobs wait in a line of their own and each is a transaction of its own, between two groups: they are large
// and nobody's decision waits for them, so they don't fill the queue for commits, and one that finds no space
// leaves the commits alone.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "adapters/sqlite/write.h"

namespace ganglion::sqlite {

// One transaction holds at most this much. More would not spread the fsync much thinner, but delay the first.
inline constexpr std::size_t kMaxGroupWrites = 1024;
inline constexpr std::size_t kMaxGroupBytes = 8 << 20;
// Beyond this a write is refused as unavailable. In order: its completion runs after those of the writes
// before it.
inline constexpr std::size_t kMaxQueuedBytes = 64 << 20;
// Beyond this a blob is refused.
inline constexpr std::size_t kMaxQueuedBlobBytes = 2 * kMaxBlob;

// Runs on the writer's thread; without a delivery it is not finished and wants to run again.
using Read = std::move_only_function<std::optional<Delivery>(Tables&)>;

class WorkQueue {
 public:
  using Writes = std::vector<std::unique_ptr<Write>>;

  void push(std::unique_ptr<Write> write);
  void push_blob(std::unique_ptr<Write> write);
  void push(Read read);

  struct Work {
    Writes writes;
    Writes blob;  // at most one
    std::vector<Read> reads;
    bool closed = false;  // and nothing is left to write
  };
  enum class WhenIdle { wait, return_at_once };
  Work take(WhenIdle when_idle);

  // Writes that wait are still taken, reads are dropped; what is pushed from now on is dropped as well.
  void close();

 private:
  // Writes of one kind that wait, and how many bytes they hold.
  struct Line {
    std::deque<std::unique_ptr<Write>> writes;
    std::size_t bytes = 0;

    std::unique_ptr<Write> take_front();
  };

  void push(Line& line, std::size_t max_bytes, std::unique_ptr<Write> write);

  std::mutex mutex_;
  std::condition_variable wake_;
  Line writes_;
  Line blobs_;
  std::vector<Read> reads_;
  bool closed_ = false;
};

}  // namespace ganglion::sqlite

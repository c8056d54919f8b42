#pragma once

// What waits for the writer's thread: writes in the order of the calls, and reads. The event loop pushes; the
// writer takes everything that waits, up to a bound, as one group.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adapters/sqlite/tables.h"
#include "ports/store.h"

namespace ganglion::sqlite {

// One transaction holds at most this much. More would not spread the fsync much thinner, but delay the first.
inline constexpr std::size_t kMaxGroupWrites = 1024;
inline constexpr std::size_t kMaxGroupBytes = 8 << 20;
// Beyond this a write is refused as unavailable. In order: its completion runs after those of the writes
// before it.
inline constexpr std::size_t kMaxQueuedBytes = 64 << 20;

// Runs on the event loop.
using Delivery = std::move_only_function<void()>;

struct CommitWrite {
  Commit commit;
  ganglion::Store::Completion<CommitOutcome> done;
};
struct DefinitionWrite {
  std::string digest;
  std::string source;
  ganglion::Store::Completion<Result<void>> done;
};
struct SettingWrite {
  std::string name;
  std::string value;
  ganglion::Store::Completion<Result<void>> done;
};
struct Write {
  std::variant<CommitWrite, DefinitionWrite, SettingWrite> request;
  std::size_t bytes = 0;
  bool refused = false;  // the queue was full; the request is empty but for its completion
};

// Runs on the writer's thread; without a delivery it is not finished and wants to run again.
using Read = std::move_only_function<std::optional<Delivery>(Tables&)>;

class WorkQueue {
 public:
  void push(Write write);
  void push(Read read);

  struct Work {
    std::vector<Write> writes;
    std::vector<Read> reads;
    bool closed = false;  // and nothing is left to write
  };
  enum class WhenIdle { wait, return_at_once };
  Work take(WhenIdle when_idle);

  // Writes that wait are still taken, reads are dropped; what is pushed from now on is dropped as well.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Write> writes_;
  std::vector<Read> reads_;
  std::size_t queued_bytes_ = 0;
  bool closed_ = false;
};

}  // namespace ganglion::sqlite

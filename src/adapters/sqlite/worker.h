#pragma once

// The thread that owns the database. It turns what waits in the queue into group commits and answers, and
// hands each group's completions to the event loop in one piece.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/process_lock.h"
#include "adapters/sqlite/store.h"
#include "adapters/sqlite/tables.h"
#include "adapters/sqlite/work_queue.h"

namespace ganglion::sqlite {

class Worker {
 public:
  // The database is open, locked and of the newest schema version.
  Worker(Options options, ProcessLock lock, Database database);
  // On the event loop: waits for the writes that were pushed.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Reads what the writer must know and starts the thread.
  DatabaseResult<void> start();

  void push(std::unique_ptr<Write> write) { queue_.push(std::move(write)); }
  void push_blob(std::unique_ptr<Write> write) { queue_.push_blob(std::move(write)); }
  void push(Read read) { queue_.push(std::move(read)); }

  const Options& options() const { return options_; }
  ProcessLock& lock() { return lock_; }
  Statistics statistics() const;

 private:
  void run();
  void write_group(WorkQueue::Writes writes);
  DatabaseResult<void> apply_group(const WorkQueue::Writes& writes);
  void answer_reads();
  void checkpoint_if_due();
  void deliver(std::vector<Delivery> deliveries);
  void stop_for(const DatabaseError& error);

  const Options options_;
  ProcessLock lock_;
  Database database_;
  Tables tables_;
  WorkQueue queue_;
  std::deque<Read> reads_;
  int wal_frames_ = 0;
  std::atomic<std::uint64_t> groups_ = 0;
  std::atomic<std::uint64_t> writes_ = 0;
  bool failed_ = false;
  // Whether completions still run. The pointer never changes; what it points to belongs to the event loop.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::thread thread_;
};

}  // namespace ganglion::sqlite

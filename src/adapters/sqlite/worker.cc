#include "adapters/sqlite/worker.h"

#include <pthread.h>

#include <iterator>
#include <utility>
#include "adapters/sqlite/checked_vfs.h"

namespace ganglion::sqlite {
namespace {

// Then commits get their turn.
constexpr int kReadsPerTurn = 16;

}  // namespace

Worker::Worker(Options options, ProcessLock lock, Database database)
    : options_(std::move(options)),
      lock_(std::move(lock)),
      database_(std::move(database)),
      tables_(database_) {}

Worker::~Worker() {
  *alive_ = false;
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

DatabaseResult<void> Worker::start() {
  database_.count_wal_frames(&wal_frames_);
  const DatabaseResult<void> loaded = tables_.writer.load();
  if (loaded) thread_ = std::thread([this] { run(); });
  return loaded;
}

void Worker::run() {
  pthread_setname_np(pthread_self(), "ganglion-store");
  for (;;) {
    const bool idle = reads_.empty();
    WorkQueue::Work work =
        queue_.take(idle ? WorkQueue::WhenIdle::wait : WorkQueue::WhenIdle::return_at_once);
    std::ranges::move(work.reads, std::back_inserter(reads_));
    if (!work.writes.empty()) write_group(std::move(work.writes));
    if (!work.blob.empty() && !failed_) write_group(std::move(work.blob));
    if (work.closed || failed_) return;
    answer_reads();
    checkpoint_if_due();
    if (failed_) return;
  }
}

Statistics Worker::statistics() const {
  return {.groups = groups_.load(std::memory_order_relaxed),
          .writes = writes_.load(std::memory_order_relaxed),
          .syncs = syncs_through(options_.vfs)};
}

void Worker::write_group(WorkQueue::Writes writes) {
  if (const DatabaseResult<void> written = apply_group(writes); !written) {
    tables_.writer.roll_back();
    if (written.error().severity() == Severity::fatal) return stop_for(written.error());
    const std::string reason = "the store can't be written: " + written.error().message;
    for (const auto& write : writes) write->refuse(reason);
  } else {
    groups_.fetch_add(1, std::memory_order_relaxed);
    writes_.fetch_add(writes.size(), std::memory_order_relaxed);
  }
  std::vector<Delivery> deliveries;
  deliveries.reserve(writes.size());
  for (const auto& write : writes) deliveries.push_back(write->take_delivery());
  deliver(std::move(deliveries));
}

DatabaseResult<void> Worker::apply_group(const WorkQueue::Writes& writes) {
  if (const auto begun = tables_.writer.begin(); !begun) return begun;
  for (const auto& write : writes) {
    if (const auto applied = write->apply(tables_); !applied) return applied;
  }
  return tables_.writer.commit();
}

void Worker::answer_reads() {
  std::vector<Delivery> deliveries;
  for (int turn = 0; turn < kReadsPerTurn && !reads_.empty(); ++turn) {
    Read read = std::move(reads_.front());
    reads_.pop_front();
    if (std::optional<Delivery> delivery = read(tables_))
      deliveries.push_back(std::move(*delivery));
    else
      reads_.push_back(std::move(read));
  }
  if (!deliveries.empty()) deliver(std::move(deliveries));
}

// A checkpoint that a full disk refuses is tried again after the next group; until then the log holds
// everything.
void Worker::checkpoint_if_due() {
  if (wal_frames_ < options_.log_pages) return;
  const DatabaseResult<void> done = database_.checkpoint();
  if (done)
    wal_frames_ = 0;
  else if (done.error().severity() == Severity::fatal)
    stop_for(done.error());
}

void Worker::deliver(std::vector<Delivery> deliveries) {
  options_.post_from_thread([alive = alive_, deliveries = std::move(deliveries)]() mutable {
    for (Delivery& delivery : deliveries) {
      if (!*alive) return;
      delivery();
    }
  });
}

void Worker::stop_for(const DatabaseError& error) {
  failed_ = true;
  queue_.close();
  const std::string what =
      error.is_corruption() ? "the store's file is damaged: " : "it is unknown what is durable: ";
  options_.fatal(what + error.message + " (SQLite error " + std::to_string(error.code) + ")");
}

}  // namespace ganglion::sqlite

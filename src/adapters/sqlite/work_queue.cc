#include "adapters/sqlite/work_queue.h"

#include <utility>

namespace ganglion::sqlite {

std::unique_ptr<Write> WorkQueue::Line::take_front() {
  std::unique_ptr<Write> front = std::move(writes.front());
  writes.pop_front();
  bytes -= front->bytes();
  return front;
}

void WorkQueue::push(std::unique_ptr<Write> write) {
  push(writes_, kMaxQueuedBytes, std::move(write));
}

void WorkQueue::push_blob(std::unique_ptr<Write> write) {
  push(blobs_, kMaxQueuedBlobBytes, std::move(write));
}

void WorkQueue::push(Line& line, std::size_t max_bytes, std::unique_ptr<Write> write) {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    if (line.bytes + write->bytes() > max_bytes && !line.writes.empty()) {
      write->refuse("the store can't keep up: " + std::to_string(max_bytes >> 20) +
                    " MiB wait to be written");
    }
    line.bytes += write->bytes();
    line.writes.push_back(std::move(write));
  }
  wake_.notify_one();
}

void WorkQueue::push(Read read) {
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    reads_.push_back(std::move(read));
  }
  wake_.notify_one();
}

WorkQueue::Work WorkQueue::take(WhenIdle when_idle) {
  Work work;
  std::unique_lock lock(mutex_);
  if (when_idle == WhenIdle::wait) {
    wake_.wait(lock, [this] {
      return closed_ || !writes_.writes.empty() || !blobs_.writes.empty() || !reads_.empty();
    });
  }
  std::size_t bytes = 0;
  while (!writes_.writes.empty() && work.writes.size() < kMaxGroupWrites && bytes < kMaxGroupBytes) {
    work.writes.push_back(writes_.take_front());
    bytes += work.writes.back()->bytes();
  }
  if (!blobs_.writes.empty()) work.blob.push_back(blobs_.take_front());
  work.reads = std::exchange(reads_, {});
  work.closed = closed_ && work.writes.empty() && work.blob.empty();
  return work;
}

void WorkQueue::close() {
  std::vector<Read> dropped;
  {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    dropped.swap(reads_);
  }
  wake_.notify_one();
}

}  // namespace ganglion::sqlite

#include "adapters/sqlite/work_queue.h"

#include <utility>

#include "base/overloaded.h"

namespace ganglion::sqlite {
namespace {

// Roughly what the write holds in memory.
std::size_t size_of(const Write& write) {
  const auto bytes = [](const auto&... text) { return (sizeof(Write) + ... + text.size()); };
  return std::visit(Overloaded{[&](const CommitWrite& w) {
                                 std::size_t size = sizeof(Write);
                                 for (const JournalEntry& event : w.commit.events) {
                                   size += sizeof(JournalEntry) + event.type.size() + event.data.size();
                                 }
                                 return size;
                               },
                               [&](const DefinitionWrite& w) { return bytes(w.digest, w.source); },
                               [&](const SettingWrite& w) { return bytes(w.name, w.value); }},
                    write.request);
}

void drop_content(Write& write) {
  std::visit(
      Overloaded{[](CommitWrite& w) { w.commit = {}; }, [](DefinitionWrite& w) { w.digest = w.source = {}; },
                 [](SettingWrite& w) { w.name = w.value = {}; }},
      write.request);
}

}  // namespace

void WorkQueue::push(Write write) {
  write.bytes = size_of(write);
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    if (queued_bytes_ + write.bytes > kMaxQueuedBytes && !writes_.empty()) {
      write.refused = true;
      drop_content(write);
      write.bytes = 0;
    }
    queued_bytes_ += write.bytes;
    writes_.push_back(std::move(write));
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
    wake_.wait(lock, [this] { return closed_ || !writes_.empty() || !reads_.empty(); });
  }
  std::size_t bytes = 0;
  while (!writes_.empty() && work.writes.size() < kMaxGroupWrites && bytes < kMaxGroupBytes) {
    bytes += writes_.front().bytes;
    queued_bytes_ -= writes_.front().bytes;
    work.writes.push_back(std::move(writes_.front()));
    writes_.pop_front();
  }
  work.reads = std::exchange(reads_, {});
  work.closed = closed_ && work.writes.empty();
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

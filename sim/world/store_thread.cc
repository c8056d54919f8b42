#include "sim/world/store_thread.h"

#include <algorithm>
#include <utility>

namespace ganglion::sim {

StoreThread::~StoreThread() {
  timeline_.call_off(next_);
}

void StoreThread::write(WorkTime work, WorkTime sync, Done done) {
  waiting_writes_.push_back({work, sync, std::move(done)});
  wake();
}

void StoreThread::read(WorkTime work, Done done) {
  waiting_reads_.push_back({work, {}, std::move(done)});
  wake();
}

void StoreThread::wake() {
  if (std::exchange(busy_, true)) return;
  at_ = std::max<WorkTime>(at_, timeline_.now());
  next_ = timeline_.after(SimTime(0), [this] { next(); });
}

// What was under way has ended at this moment.
void StoreThread::next() {
  std::vector<Piece> ended = std::exchange(group_, {});
  if (!waiting_reads_.empty()) {
    group_.push_back(std::move(waiting_reads_.front()));
    waiting_reads_.pop_front();
    at_ += group_.front().work;
    worked_ += group_.front().work;
  } else if (!waiting_writes_.empty()) {
    begin_group();
  } else {
    busy_ = false;
  }
  if (busy_) next_ = timeline_.at(std::chrono::ceil<SimTime>(at_), [this] { next(); });
  for (Piece& piece : ended) piece.done();
}

void StoreThread::begin_group() {
  WorkTime sync{};
  while (!waiting_writes_.empty() && group_.size() < most_writes_) {
    group_.push_back(std::move(waiting_writes_.front()));
    waiting_writes_.pop_front();
    at_ += group_.back().work;
    worked_ += group_.back().work;
    sync = std::max(sync, group_.back().sync);
  }
  at_ += sync;
  worked_ += sync;
  synced_ += sync;
  ++groups_;
  writes_ += group_.size();
}

}  // namespace ganglion::sim

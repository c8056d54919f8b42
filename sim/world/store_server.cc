#include "sim/world/store_server.h"

#include <algorithm>
#include <deque>

#include "base/assert.h"
#include "ports/clock.h"

namespace ganglion::sim {

// Where the state behind posts its answers: they are taken out right after each call.
class StoreServer::Inbox final : public Clock {
 public:
  explicit Inbox(const Timeline& timeline) : timeline_(timeline) {}

  Timestamp now() const override { return Timestamp(timeline_.now().count() / 1'000); }
  TimerId at(Timestamp, std::move_only_function<void()>) override {
    GANGLION_ASSERT(!"a store without threads needs no timers");
    return {};
  }
  void cancel(TimerId) override {}
  void post(std::move_only_function<void()> callback) override { posted_.push_back(std::move(callback)); }

  void drain() {
    while (!posted_.empty()) {
      auto callback = std::move(posted_.front());
      posted_.pop_front();
      callback();
    }
  }

 private:
  const Timeline& timeline_;
  std::deque<std::move_only_function<void()>> posted_;
};

StoreServer::StoreServer(Timeline& timeline, StoreFactory make, StoreServerOptions options)
    : timeline_(timeline),
      make_(std::move(make)),
      options_(options),
      inbox_(std::make_unique<Inbox>(timeline)),
      backing_(make_(*inbox_)) {
  if (options_.costs_work()) thread_.emplace(timeline, options_.most_writes);
}

StoreServer::~StoreServer() = default;

void StoreServer::drain() {
  inbox_->drain();
}

void StoreServer::set(State state) {
  const bool breaks = state == State::down && state_ != State::down;
  state_ = state;
  if (!breaks) return;
  for (const auto& [watcher, told] : on_down_) told();
}

StoreServer::WatcherId StoreServer::on_down(std::function<void()> told) {
  last_watcher_ = last_watcher_.next();
  on_down_.emplace(last_watcher_, std::move(told));
  return last_watcher_;
}

// Writes that come while the disk is at work wait for the next group and share it.
StoreServer::Executed StoreServer::write(Kind kind, const Operation& operation, Operation again) {
  operation(*backing_);
  drain();
  const std::uint64_t serial = ++next_serial_;
  if (options_.keeps_history) history_.push_back({serial, kind, std::move(again)});
  const SimTime now = timeline_.now();
  if (now > group_begins_) {
    group_begins_ = std::max(now, group_ends_);
    group_ends_ = group_begins_ + options_.write * slowness_;
  }
  return {serial, group_ends_};
}

SimTime StoreServer::read(const Operation& operation) {
  operation(*backing_);
  drain();
  return timeline_.now() + options_.read * slowness_;
}

void StoreServer::queue(Access access, const StoreWork& work, StoreThread::Done done) {
  WorkTime cost = of_bytes(options_.per_kib, work.bytes);
  cost += options_.per_entry * static_cast<std::int64_t>(work.entries);
  if (access == Access::write) {
    bytes_written_ += work.bytes;
    return thread_->write((cost + options_.per_commit) * slowness_, options_.write * slowness_,
                          std::move(done));
  }
  cost += options_.per_open_run * static_cast<std::int64_t>(work.open_runs);
  thread_->read((cost + options_.read) * slowness_, std::move(done));
}

std::size_t StoreServer::fail_over(std::size_t writes) {
  GANGLION_ASSERT(options_.keeps_history);
  const std::size_t lost = std::min(writes, history_.size());
  const auto first = history_.end() - static_cast<std::ptrdiff_t>(lost);
  const auto commits = std::count_if(first, history_.end(),
                                     [](const Written& written) { return written.kind == Kind::commit; });
  if (lost > 0) {
    lost_.emplace_back(first->serial, history_.back().serial + 1);
    history_.erase(first, history_.end());
    backing_ = make_(*inbox_);
    for (const Written& written : history_) written.again(*backing_);
    drain();
  }
  for (const auto& [watcher, told] : on_down_) told();
  return static_cast<std::size_t>(commits);
}

bool StoreServer::has_lost(std::uint64_t serial) const {
  return std::ranges::any_of(
      lost_, [&](const auto& range) { return range.first <= serial && serial < range.second; });
}

}  // namespace ganglion::sim

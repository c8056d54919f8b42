#pragma once

// The thread of a store server that does everything, as the embedded store's does: it takes the writes that
// wait, up to a bound, does the work of each and syncs once for all of them; between two such groups it
// answers the reads that wait. Without costs (the default of StoreServerOptions) a server has no such thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "sim/kernel/timeline.h"
#include "sim/world/service_times.h"

namespace ganglion::sim {

class StoreThread {
 public:
  using Done = std::move_only_function<void()>;

  // `sync` is what a group takes beside the work of its writes; `most_writes` bounds a group, at least 1.
  StoreThread(Timeline& timeline, std::size_t most_writes) : timeline_(timeline), most_writes_(most_writes) {}
  ~StoreThread();

  // `done` is called when the group has been synced, or when the read has been answered; never inside.
  void write(WorkTime work, WorkTime sync, Done done);
  void read(WorkTime work, Done done);

  WorkTime worked() const { return worked_; }  // with what is under way
  WorkTime synced() const { return synced_; }  // the part of it that was waiting for the disk
  std::uint64_t groups() const { return groups_; }
  std::uint64_t writes() const { return writes_; }

 private:
  struct Piece {
    WorkTime work;
    WorkTime sync;
    Done done;
  };

  void wake();
  void next();
  void begin_group();

  Timeline& timeline_;
  const std::size_t most_writes_;
  std::deque<Piece> waiting_writes_;
  std::deque<Piece> waiting_reads_;
  std::vector<Piece> group_;
  bool busy_ = false;
  MomentId next_;
  WorkTime at_{};  // finer than the timeline
  WorkTime worked_{};
  WorkTime synced_{};
  std::uint64_t groups_ = 0;
  std::uint64_t writes_ = 0;
};

}  // namespace ganglion::sim

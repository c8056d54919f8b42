#pragma once

// The store as the processes of a world see it: a server with a disk. The state behind it is a real store of
// the port, made by whoever owns the world; the server adds what may happen to one: it is slow, full, down,
// or fails over to a copy that has not seen the last writes.
//
// A call is executed once, in the order of its connection (store_link.h). Every write gets a serial number; a
// failover that loses writes forgets a range of them, and whoever asks about one of these is told that it
// never happened.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "ports/store.h"
#include "sim/kernel/timeline.h"
#include "sim/world/service_times.h"
#include "sim/world/store_thread.h"

namespace ganglion::sim {

// A store whose answers come through `clock`.
using StoreFactory = std::function<std::unique_ptr<Store>(Clock& clock)>;

struct StoreServerOptions {
  SimTime write{150};  // for a write that finds the disk at rest; what comes meanwhile shares the next
  SimTime read{20};
  bool keeps_history = false;  // so that it can lose writes

  // What work costs its one thread. With any of them a group takes `write` and the work of its writes, and
  // reads wait for the group that is under way.
  WorkTime per_commit{};
  WorkTime per_entry{};
  WorkTime per_kib{};
  WorkTime per_open_run{};          // read when an engine starts
  std::size_t most_writes = 1'024;  // in a group; counts only where work costs something

  bool costs_work() const { return (per_commit + per_entry + per_kib + per_open_run).count() > 0; }
};

// Of a call: what it costs depends on it.
struct StoreWork {
  std::size_t entries = 0;
  std::size_t bytes = 0;
  std::size_t open_runs = 0;
};

class StoreServer {
 public:
  // Something to do to the state behind; may be done again to a copy of it.
  using Operation = std::function<void(Store&)>;
  using OnCommit = std::function<void(const Commit& commit, const CommitOutcome& outcome)>;

  StoreServer(Timeline& timeline, StoreFactory make, StoreServerOptions options = {});
  ~StoreServer();

  // --- what may happen to it ---
  enum class State { up, full, down };
  void set(State state);
  State state() const { return state_; }
  // Each service takes this many times as long.
  void slow_down(int factor) { slowness_ = factor; }
  // The copy that takes over has not seen the last `writes` writes. Gives how many commits of runs were lost.
  std::size_t fail_over(std::size_t writes);

  // Told of every commit, in the order in which they were made.
  void on_commit(OnCommit told) { on_commit_ = std::move(told); }
  // Told when connections break: the server has gone down, or another one takes over.
  using WatcherId = StrongId<struct WatcherIdTag, std::uint32_t>;
  WatcherId on_down(std::function<void()> told);
  void forget(WatcherId watcher) { on_down_.erase(watcher); }

  // --- for links ---
  // Executes now; gives the write's serial number and when its answer leaves.
  struct Executed {
    std::uint64_t serial = 0;
    SimTime answered_at;
  };
  // `again` does the same to a copy of the state that has not seen it.
  enum class Kind { commit, other };
  Executed write(Kind kind, const Operation& operation, Operation again);
  SimTime read(const Operation& operation);
  // Where work costs something, `answered_at` says nothing: the answer leaves when `done` is called.
  bool queues() const { return thread_.has_value(); }
  enum class Access { read, write };
  void queue(Access access, const StoreWork& work, StoreThread::Done done);
  // Whether a failover has lost the write.
  bool has_lost(std::uint64_t serial) const;
  std::size_t losses() const { return lost_.size(); }
  void tell(const Commit& commit, const CommitOutcome& outcome) const {
    if (on_commit_) on_commit_(commit, outcome);
  }

  // Looks into the state, outside of time.
  template <typename T>
  T ask(const std::function<void(Store&, Store::Completion<T>)>& question) {
    std::optional<T> answer;
    question(*backing_, [&](T value) { answer = std::move(value); });
    drain();
    return *std::move(answer);
  }

  std::uint64_t writes() const { return next_serial_; }
  std::uint64_t bytes_written() const { return bytes_written_; }
  // Only where work costs something.
  const StoreThread& thread() const { return *thread_; }

 private:
  class Inbox;

  void drain();

  Timeline& timeline_;
  StoreFactory make_;
  const StoreServerOptions options_;
  std::unique_ptr<Inbox> inbox_;
  std::unique_ptr<Store> backing_;
  struct Written {
    std::uint64_t serial;
    Kind kind;
    Operation again;
  };
  std::vector<Written> history_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lost_;  // serials, half open
  std::uint64_t next_serial_ = 0;
  State state_ = State::up;
  int slowness_ = 1;
  SimTime group_begins_{-1};  // when the disk takes the next group of writes, or took the last one
  SimTime group_ends_{};
  std::optional<StoreThread> thread_;
  std::uint64_t bytes_written_ = 0;
  OnCommit on_commit_;
  std::map<WatcherId, std::function<void()>> on_down_;
  WatcherId last_watcher_;
};

}  // namespace ganglion::sim

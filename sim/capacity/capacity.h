#pragma once

// How much a world of a given size can take: engines with measured service times over one store server,
// workers that work for a while, and runs of a three-step pipeline that begin at random at a given rate.
// After a warm-up everything is counted for some virtual seconds.
//
// Each engine has the runs that it started and workers of its own; they share the store and nothing else.
// That is no way to run Ganglion today, since the SQLite store allows one process: it asks where the next
// limit lies.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/capacity/capacity_worker.h"
#include "sim/capacity/measured.h"
#include "sim/capacity/paper_model.h"
#include "sim/world/world.h"

namespace ganglion::sim {

struct CapacityOptions {
  std::uint64_t seed = 1;
  std::uint32_t coordinators = 1;  // 1 …
  std::uint32_t workers = 100;     // at least one for each coordinator
  double runs_per_s = 1'000;       // offered to all of them together
  SimTime work{300'000};           // of an agent, on average; half of it to one and a half
  std::size_t payload = 200;       // bytes of each input and output
  SimTime warm_up{0};              // 0: as long as the longest run works, and a bit
  SimTime measured{2'000'000};
  ServiceTimes engine = kMeasuredEngine;
  StoreServerOptions store = kMeasuredStore;
};

inline constexpr std::uint32_t kCapacitySteps = 3;

// What a step of this pipeline asks for, with a third of its run's start. Few results: each goes in a request
// of its own, and each task is the answer of a poll. Many: they share their requests.
inline constexpr StepCost kStepWithFewResults{
    .requests = 7.0 / 3, .network_kib = 1.42, .commits = 4.0 / 3, .entries = 8.0 / 3, .store_kib = 0.73};
inline constexpr StepCost kStepWithManyResults{.requests = 1.0 / 3 + 1.0 / 256,
                                               .network_kib = 1.15,
                                               .commits = 4.0 / 3,
                                               .entries = 8.0 / 3,
                                               .store_kib = 0.73};

struct Spread {
  double least = 0, median = 0, most = 0;
};

struct CapacityResult {
  double seconds = 0;
  double runs_per_s = 0;   // completed
  double steps_per_s = 0;  // results accepted
  double wait_p50_ms =
      0;  // a step's overhead: from the end of one step's work to the begin of the next one's
  double wait_p99_ms = 0;
  Spread engine_busy;  // share of the time
  double engine_us_per_step = 0;
  double store_busy = 0;         // syncing counts, which it does whenever it has anything to write
  double store_load = 0;         // the least share of the time that the same commits need, in full groups
  double store_us_per_step = 0;  // without syncs
  double writes_per_group = 0;
  double groups_per_s = 0;
  double requests_per_step = 0;  // each has one answer
  double network_bytes_per_step = 0;
  double commits_per_step = 0;
  double entries_per_commit = 0;
  double store_bytes_per_step = 0;
  std::size_t open_runs = 0;  // at the end
  std::uint64_t refused = 0;  // starts, and calls that failed
};

class CapacityWorld {
 public:
  CapacityWorld(CapacityOptions options, const StoreFactory& make_store);
  ~CapacityWorld();

  // One after the other, once.
  void warm_up();
  void measure();
  // The first engine dies and the load ends: how long until it serves again.
  SimTime restart();

  const CapacityResult& result() const { return result_; }
  std::size_t open_runs() const { return started_ - ended_; }
  World& world() { return *world_; }
  SimTime warm_up_time() const;

 private:
  struct Counted {
    std::uint64_t ended = 0, commits = 0, entries = 0;
    HttpNetwork::Traffic traffic;
    std::uint64_t store_bytes = 0, groups = 0, writes = 0;
    WorkTime store_worked{}, store_synced{};
    std::vector<WorkTime> engines;
  };

  void start_run_later();
  void start_run(HostId engine);
  Counted count() const;
  void evaluate(const Counted& before, const Counted& after);

  const CapacityOptions options_;
  std::unique_ptr<World> world_;
  WorkSeen seen_;
  std::vector<std::unique_ptr<CapacityWorker>> workers_;
  SiteId arrivals_;
  double next_arrival_us_ = 0;
  std::uint64_t asked_ = 0;
  bool loads_ = true;
  std::uint64_t started_ = 0, ended_ = 0, commits_ = 0, entries_ = 0, refused_ = 0;
  CapacityResult result_;
};

}  // namespace ganglion::sim

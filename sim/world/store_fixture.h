#pragma once

// A store server over the memory store, and processes that are connected to it, for tests.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/store.h"
#include "base/assert.h"
#include "sim/kernel/fate.h"
#include "sim/kernel/timeline.h"
#include "sim/world/process_clock.h"
#include "sim/world/store_link.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

inline std::unique_ptr<Store> make_memory_store(Clock& clock) {
  return std::make_unique<memory::Store>(clock);
}

struct StoreWorld {
  explicit StoreWorld(std::uint64_t seed = 1, OnlyEvents only = {}) : fate(seed, timeline, std::move(only)) {}

  void run(SimTime by) { timeline.run_until(timeline.now() + by); }
  // Makes a call and waits for its answer.
  template <typename T, typename Call>
  T wait_for(Call call) {
    std::optional<T> answer;
    call([&answer](T value) { answer = std::move(value); });
    const SimTime end = timeline.now() + SimTime(60'000'000);
    while (!answer && timeline.step(end)) {
    }
    GANGLION_ASSERT(answer);
    return *std::move(answer);
  }
  CommitOutcome commit(Store& store, Commit commit) {
    return wait_for<CommitOutcome>([&](auto done) { store.commit(std::move(commit), std::move(done)); });
  }
  // As it is at the server, however the links are.
  std::size_t entries(const RunId& run) {
    const auto journal = server.ask<Result<std::vector<JournalEntry>>>(
        [&](Store& store, auto answer) { store.read_journal(run, 0, 1'000, std::move(answer)); });
    return journal ? journal->size() : 0;
  }

  Timeline timeline;
  Fate fate;
  StoreServer server{timeline, make_memory_store, {.keeps_history = true}};
};

// One process of a StoreWorld, with nothing in it but its clock and its link.
struct StoreProcess {
  explicit StoreProcess(StoreWorld& world, const std::string& name = "engine-1")
      : clock(world.timeline, Timestamp(1'700'000'000'000)),
        link(std::in_place, StoreLink::World{world.timeline, world.fate, world.server}, clock, name, faults,
             [this](StoreLink::Death) {
               ++deaths;
               clock.stop();
               link->stop();
             }) {}

  StoreLinkFaults faults;
  int deaths = 0;
  ProcessClock clock;
  std::optional<StoreLink> link;
};

}  // namespace ganglion::sim

#pragma once

// The same question on paper. A thread that is busy for s seconds a step makes at most 1/s steps a second
// (utilisation law); a store that syncs once for a group makes at most a full group in the time of its work
// and one sync; what is slowest is the limit, and coordinators add up until the store is.

#include <algorithm>

#include "sim/world/service_times.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

// What a step asks for, the share of its run's start included.
struct StepCost {
  double requests = 0;  // with their answers
  double network_kib = 0;
  double commits = 0;
  double entries = 0;
  double store_kib = 0;
};

class PaperModel {
 public:
  PaperModel(const ServiceTimes& engine, const StoreServerOptions& store, const StepCost& step)
      : engine_us_(us(engine.request + engine.answer) * step.requests + us(engine.kib) * step.network_kib +
                   us(engine.commit + engine.committed) * step.commits + us(engine.entry) * step.entries),
        store_us_(us(store.per_commit) * step.commits + us(store.per_entry) * step.entries +
                  us(store.per_kib) * step.store_kib),
        sync_us_(us(store.write) / static_cast<double>(store.most_writes) * step.commits) {}

  double engine_us() const { return engine_us_; }  // of one engine's thread, a step
  double store_us() const { return store_us_ + sync_us_; }

  double engine_steps_per_s() const { return 1e6 / engine_us(); }
  double store_steps_per_s() const { return 1e6 / store_us(); }
  double steps_per_s(unsigned coordinators) const {
    return std::min(coordinators * engine_steps_per_s(), store_steps_per_s());
  }

 private:
  static double us(WorkTime time) { return static_cast<double>(time.count()) / 1e3; }

  double engine_us_, store_us_, sync_us_;
};

}  // namespace ganglion::sim

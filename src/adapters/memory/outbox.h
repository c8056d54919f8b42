#pragma once

// The runs whose journals are still to be copied, by when each may be taken.

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "ports/store.h"

namespace ganglion::memory {

class Outbox {
 public:
  void turn_on() { on_ = true; }
  // The run's journal has grown.
  void note(const RunId& run, Timestamp now);
  void put(const RunId& run, Timestamp now);
  std::vector<RunId> take(std::uint32_t limit, Timestamp now, Duration lease);
  // Of a run that is in it.
  void put_last(const RunId& run, Timestamp now);
  void remove(const RunId& run);
  std::uint64_t count() const { return std::min<std::uint64_t>(due_.size(), kMaxOutboxCount); }

 private:
  bool on_ = false;
  std::map<RunId, Timestamp> due_;
  std::set<std::pair<Timestamp, RunId>> in_order_;
};

}  // namespace ganglion::memory

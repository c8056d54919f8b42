#pragma once

// Attempts that are to be looked at, each at its time, with one timer for all of them.

#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cluster/token_hash.h"
#include "core/ids.h"
#include "ports/clock.h"

namespace ganglion::cluster {

class WatchList {
 public:
  // `look` is called with those that are due, in the order of their times; they are on the list no longer.
  WatchList(Clock& clock, std::function<void(const std::vector<AttemptToken>&)> look);
  ~WatchList();
  WatchList(const WatchList&) = delete;
  WatchList& operator=(const WatchList&) = delete;

  // Once: an earlier time for it counts no more.
  void look_at(const AttemptToken& token, Timestamp when);
  void remove(const AttemptToken& token);

 private:
  void plan();
  void come_due();

  Clock& clock_;
  std::function<void(const std::vector<AttemptToken>&)> look_;
  std::set<std::pair<Timestamp, AttemptToken>> due_;
  std::unordered_map<AttemptToken, Timestamp, TokenHash> times_;
  TimerId timer_;
  std::optional<Timestamp> timer_at_;
};

}  // namespace ganglion::cluster

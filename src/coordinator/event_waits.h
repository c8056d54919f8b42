#pragma once

// Which runs wait for which topics. Kept by the coordinator from what runs commit, asked by the event router.

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/ids.h"
#include "core/run.h"

namespace ganglion {

class EventWaits {
 public:
  // Called for a run that has begun to wait for events since before `since + 1`.
  using Begun = std::function<void(const RunId& run, const std::string& pattern, std::uint64_t since)>;

  void on_begun(Begun begun) { begun_ = std::move(begun); }

  // What the run waits for now, in place of what it waited for before.
  void update(const Run& run);
  void clear(const RunId& run);

  // By run: each pattern and the position that it waits from.
  std::map<RunId, std::map<std::string, std::uint64_t>> all() const {
    return {by_run_.begin(), by_run_.end()};
  }

  // Of one run; empty if it waits for nothing.
  std::map<std::string, std::uint64_t> of(const RunId& run) const;

  // Runs that wait for a pattern which matches; in the order of their ids.
  std::set<RunId> waiting_for(std::string_view topic) const;

 private:
  std::map<std::string, std::set<RunId>> by_pattern_;
  // The earliest position that each run waits from, by pattern.
  std::unordered_map<RunId, std::map<std::string, std::uint64_t>> by_run_;
  Begun begun_;
};

}  // namespace ganglion

#pragma once

// A run that somebody watches may wait for a person further down: in a run that one of its steps has started,
// or in one of those. Its own journal doesn't say so; the list of approvals does.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/api.h"
#include "cli/failure.h"

namespace ganglion::cli {

class SubRunDemands {
 public:
  static constexpr std::chrono::seconds kInterval{2};

  // `arguments` name the engine in the commands.
  SubRunDemands(std::string run, std::string arguments)
      : run_(std::move(run)), arguments_(std::move(arguments)) {}

  // Whether it is time to ask again.
  bool is_due() const { return std::chrono::steady_clock::now() >= next_; }
  // What has begun to wait since the last call, a text each: what waits, and on a line below what to type.
  // Nothing where the server doesn't answer.
  std::vector<std::string> ask(Api& api);

 private:
  // Whether the run was started by a step of the watched one, or by one of its sub-runs.
  bool descends(Api& api, const std::string& run);

  std::string run_;
  std::string arguments_;
  std::chrono::steady_clock::time_point next_;
  std::map<std::string, bool> known_;  // runs that were looked at
  std::set<std::string> told_;         // approvals
};

}  // namespace ganglion::cli

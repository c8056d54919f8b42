#pragma once

// Who works: the workers seen lately, the agents that they asked for, and the attempts that each one holds.
// Bounded: a worker that holds nothing is forgotten some time after it was last seen.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/poll.h"
#include "base/time.h"
#include "core/ids.h"

namespace ganglion::agents {

class WorkerRegistry {
 public:
  static constexpr Duration kForgetAfter{120'000};

  void polled(const std::string& worker, const std::vector<std::string>& agents, Timestamp now);
  void took(const std::string& worker, const AttemptToken& token, Timestamp now);
  void released(const std::string& worker, const AttemptToken& token);
  void heard_from(const std::string& worker, Timestamp now);

  // Attempts held by the worker with this id or by one whose id goes on with '-'.
  std::vector<AttemptToken> held_by(std::string_view worker) const;
  std::vector<WorkerStatus> workers_of(const std::string& agent, Timestamp now) const;
  std::size_t size() const { return workers_.size(); }

 private:
  static constexpr std::size_t kFirstSweep = 64;

  struct Worker {
    Timestamp last_seen;
    std::vector<std::string> agents;
    std::set<AttemptToken> held;
  };

  Worker& entry(const std::string& worker, Timestamp now);
  void forget_old(Timestamp now);

  std::map<std::string, Worker, std::less<>> workers_;
  std::size_t sweep_at_ = kFirstSweep;  // workers; twice what the last sweep left
};

// Whether `worker` is `id` or starts with `id` and '-'.
bool belongs_to(std::string_view worker, std::string_view id);

}  // namespace ganglion::agents

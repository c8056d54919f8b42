#include "agents/worker_registry.h"

#include <algorithm>

namespace ganglion::agents {

bool belongs_to(std::string_view worker, std::string_view id) {
  return worker.starts_with(id) && (worker.size() == id.size() || worker[id.size()] == '-');
}

void WorkerRegistry::polled(const std::string& worker, const std::vector<std::string>& agents,
                            Timestamp now) {
  Worker& known = entry(worker, now);
  if (known.agents != agents) known.agents = agents;
}

void WorkerRegistry::took(const std::string& worker, const AttemptToken& token, Timestamp now) {
  entry(worker, now).held.insert(token);
}

void WorkerRegistry::released(const std::string& worker, const AttemptToken& token) {
  const auto known = workers_.find(worker);
  if (known != workers_.end()) known->second.held.erase(token);
}

void WorkerRegistry::heard_from(const std::string& worker, Timestamp now) {
  const auto known = workers_.find(worker);
  if (known != workers_.end()) known->second.last_seen = now;
}

std::vector<AttemptToken> WorkerRegistry::held_by(std::string_view worker) const {
  std::vector<AttemptToken> tokens;
  for (auto at = workers_.lower_bound(worker); at != workers_.end() && at->first.starts_with(worker); ++at) {
    if (!belongs_to(at->first, worker)) continue;
    tokens.insert(tokens.end(), at->second.held.begin(), at->second.held.end());
  }
  return tokens;
}

std::vector<WorkerStatus> WorkerRegistry::workers_of(const std::string& agent, Timestamp now) const {
  std::vector<WorkerStatus> found;
  for (const auto& [name, worker] : workers_) {
    if (worker.held.empty() && now - worker.last_seen > kForgetAfter) continue;
    if (std::ranges::find(worker.agents, agent) == worker.agents.end()) continue;
    found.push_back({name, worker.last_seen, worker.held.size()});
  }
  return found;
}

WorkerRegistry::Worker& WorkerRegistry::entry(const std::string& worker, Timestamp now) {
  auto known = workers_.find(worker);
  if (known == workers_.end()) {
    if (workers_.size() >= sweep_at_) forget_old(now);
    known = workers_.emplace(worker, Worker{}).first;
  }
  known->second.last_seen = now;
  return known->second;
}

void WorkerRegistry::forget_old(Timestamp now) {
  std::erase_if(workers_, [&](const auto& known) {
    return known.second.held.empty() && now - known.second.last_seen > kForgetAfter;
  });
  sweep_at_ = std::max(kFirstSweep, 2 * workers_.size());
}

}  // namespace ganglion::agents

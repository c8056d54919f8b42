#include "sim/checkers/history.h"

#include <algorithm>

#include "core/ids.h"

namespace ganglion::sim {
namespace {

bool is_final(const std::string& status) {
  return status == "completed" || status == "failed" || status == "cancelled";
}

}  // namespace

void History::contradiction(const std::string& what) {
  if (world_.has_lost_writes()) return world_.saw("a failover contradicted what was said");
  world_.violated(what);
}

void History::started(const std::string& key, const std::string& body, const std::string& run) {
  runs_.insert(run);
  const auto [known, first] = starts_.try_emplace(key, Start{body, run});
  if (first) return;
  world_.saw("an idempotency key was used again");
  if (known->second.run != run) {
    contradiction("one idempotency key, two runs: " + key + " gave " + known->second.run + " and " + run);
  }
  if (known->second.body != body) {
    contradiction("an idempotency key was accepted with another body: " + key);
  }
}

void History::mismatched(const std::string& key, const std::string& body) {
  world_.saw("an idempotency key was refused for another body");
  const auto known = starts_.find(key);
  if (known != starts_.end() && known->second.body == body) {
    contradiction("an idempotency key was refused for its own body: " + key);
  }
}

// An answer that was on its way while another one said something newer may be older.
void History::showed(const std::string& run, const std::string& status, SimTime asked_at) {
  runs_.insert(run);
  const auto known = final_.find(run);
  const bool later = known != final_.end() && known->second.told_at <= asked_at;
  if (later && known->second.status != status && !retried_.contains(run)) {
    contradiction("the run " + run + " was " + known->second.status + " and then " + status);
  }
  if (is_final(status)) final_.try_emplace(run, Final{status, world_.timeline().now()});
}

void History::cancelled(const std::string& run) {
  cancelled_.insert(run);
}

void History::retried(const std::string& run) {
  retried_.insert(run);
  final_.erase(run);
}

void History::forked(const std::string&, const std::string& run) {
  runs_.insert(run);
}

void History::published(const std::string& source, const std::string& id, std::uint64_t seq) {
  const auto [known, first] = events_.try_emplace({source, id}, seq);
  if (!first && known->second != seq) contradiction("an event is in the log twice: " + source + " " + id);
}

void History::wrote_state(const std::string& session, const std::string& key, std::uint64_t version,
                          const std::string& value) {
  state_[{session, key}][version] = value;
}

void History::decided(const std::string& approval, const std::string& decision) {
  const auto [known, first] = decisions_.try_emplace(approval, decision);
  if (!first && known->second != decision) {
    contradiction("an approval was decided both ways: " + approval);
  }
}

void History::followed(const std::string& run, std::uint64_t seq, const std::string& entry) {
  const auto [known, first] = journals_[run].try_emplace(seq, entry);
  if (!first && known->second != entry) {
    contradiction("an entry of a journal has changed: " + run + " " + std::to_string(seq));
  }
}

void History::heard(const std::string& follower, std::uint64_t seq, const std::string& event) {
  std::uint64_t& last = heard_[follower];
  if (seq <= last) contradiction(follower + " heard event " + std::to_string(seq) + " out of order");
  last = std::max(last, seq);
  const auto [known, first] = log_.try_emplace(seq, event);
  if (!first && known->second != event) {
    contradiction("an event of the log has changed: " + std::to_string(seq));
  }
}

// --- workers
// ----------------------------------------------------------------------------------------------------------

void History::handed(const AgentCall& call, HostId by, std::uint64_t life) {
  const auto [known, first] = inputs_.try_emplace(call.token, call.input);
  if (!first && known->second != call.input) contradiction("an attempt has two inputs: " + call.token);
  if (!first) world_.saw("an attempt was handed out twice");
  const Place place{by, life, call.agent};
  handed_by_[call.token].insert(place);
  auto& in_hand = in_hand_[place];
  std::erase_if(in_hand, [&](const auto& task) { return task.second <= world_.timeline().now(); });
  in_hand.insert_or_assign(call.token, call.deadline);
  auto& most = most_at_once_[call.agent];
  const auto counted =
      std::ranges::count_if(in_hand, [&](const auto& t) { return !doubtful_.contains(t.first); });
  most = std::max(most, static_cast<std::size_t>(counted));
}

void History::left(const AgentCall& call) {
  const auto by = handed_by_.find(call.token);
  if (by == handed_by_.end()) return;
  for (const Place& place : by->second) in_hand_[place].erase(call.token);
}

void History::verdict(const AgentCall& call, std::string_view verdict) {
  left(call);
  if (verdict == "accepted" && !accepted_.insert(call.token).second) {
    contradiction("a result was accepted twice: " + call.token);
  }
  if (verdict == "stale_attempt") world_.saw("a stale token was rejected");
  if (verdict == "invalid") world_.saw("an invalid result was refused");
  if (verdict == "unknown") world_.saw("an unknown token was rejected");
}

}  // namespace ganglion::sim

#pragma once

// What the programs of a world have been told by its engines. Promises are about what was said: the history
// complains at once where two answers can't both be true, and at the end it is held against the store
// (promises.h).

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/actors/worker.h"
#include "sim/world/world.h"

namespace ganglion::sim {

class History final : public WorkerWatch {
 public:
  explicit History(World& world) : world_(world) {}

  // --- programs tell what they were told ---
  // `key` is the idempotency key, `body` the request's.
  void started(const std::string& key, const std::string& body, const std::string& run);
  void mismatched(const std::string& key, const std::string& body);
  // `asked_at` is when the program asked.
  void showed(const std::string& run, const std::string& status, SimTime asked_at);
  void cancelled(const std::string& run);
  void retried(const std::string& run);
  void forked(const std::string& from, const std::string& run);
  void published(const std::string& source, const std::string& id, std::uint64_t seq);
  void wrote_state(const std::string& session, const std::string& key, std::uint64_t version,
                   const std::string& value);
  void decided(const std::string& approval, const std::string& decision);
  // An entry of a journal, as a follower got it.
  void followed(const std::string& run, std::uint64_t seq, const std::string& entry);
  // An event of the log, as a follower got it.
  void heard(const std::string& follower, std::uint64_t seq, const std::string& event);

  // --- WorkerWatch ---
  void handed(const AgentCall& call, HostId by, std::uint64_t life) override;
  void asks(const AgentCall& call) override { doubtful_.insert(call.token); }
  void still_counts(const AgentCall& call) override { doubtful_.erase(call.token); }
  void left(const AgentCall& call) override;  // looks at the token alone
  void verdict(const AgentCall& call, std::string_view verdict) override;

  // --- what was said ---
  struct Start {
    std::string body;
    std::string run;
  };
  struct StateAck {
    std::uint64_t version;
    std::string value;
  };
  const std::map<std::string, Start>& starts() const { return starts_; }
  const std::set<std::string>& runs() const { return runs_; }
  const std::set<std::string>& cancelled_runs() const { return cancelled_; }
  const std::set<std::string>& retried_runs() const { return retried_; }
  const std::set<std::string>& accepted() const { return accepted_; }
  const std::map<std::pair<std::string, std::string>, std::uint64_t>& events() const { return events_; }
  // By session and key, those with the highest version.
  const std::map<std::pair<std::string, std::string>, std::map<std::uint64_t, std::string>>& state() const {
    return state_;
  }
  const std::map<std::string, std::string>& decisions() const { return decisions_; }
  const std::map<std::string, std::map<std::uint64_t, std::string>>& journals() const { return journals_; }
  const std::map<std::uint64_t, std::string>& log() const { return log_; }
  // Inputs as workers got them, by token.
  const std::map<std::string, std::string>& inputs() const { return inputs_; }
  // Handed out by a life of an engine and not let go of, by agent, at most.
  const std::map<std::string, std::size_t>& most_at_once() const { return most_at_once_; }

 private:
  // Unless a failover may explain it.
  void contradiction(const std::string& what);

  World& world_;
  std::map<std::string, Start> starts_;
  std::set<std::string> runs_, cancelled_, retried_, accepted_;
  struct Final {
    std::string status;
    SimTime told_at;
  };
  std::map<std::string, Final> final_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> events_;
  std::map<std::pair<std::string, std::string>, std::map<std::uint64_t, std::string>> state_;
  std::map<std::string, std::string> decisions_;
  std::map<std::string, std::map<std::uint64_t, std::string>> journals_;
  std::map<std::uint64_t, std::string> log_;
  std::map<std::string, std::uint64_t> heard_;  // the last one, by follower
  std::map<std::string, std::string> inputs_;
  using Place = std::tuple<HostId, std::uint64_t, std::string>;  // one life of an engine, an agent
  std::map<std::string, std::set<Place>> handed_by_;
  // With the deadlines: what has run out doesn't count.
  std::map<Place, std::map<std::string, SimTime>> in_hand_;
  std::set<std::string> doubtful_;  // may not count any more
  std::map<std::string, std::size_t> most_at_once_;
};

}  // namespace ganglion::sim

#pragma once

// The state of sessions. Every value is kept with the versions between which it could be seen, so that any of
// the last kStateHistory can be put together; snapshots share their values with it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/memory/blobs.h"
#include "ports/state_rules.h"
#include "ports/store.h"

namespace ganglion::memory {

class SessionStates {
 public:
  // `blobs` outlives this.
  explicit SessionStates(Blobs& blobs) : blobs_(blobs) {}

  // 0 for a session that nothing was ever written to.
  std::uint64_t version(const std::string& session) const;
  // Gives the version that the writes made.
  std::uint64_t commit(const StateCommit& commit);
  StateOutcome write(const std::string& session, const StateWrite& write,
                     const StatePrecondition& precondition);
  std::vector<ExpiredState> expire(Timestamp now, std::uint32_t limit);
  Result<StateSnapshot> read(const std::string& session, std::optional<std::uint64_t> version) const;

 private:
  struct Past {
    std::string key;
    StateEntry entry;
    std::uint64_t until = 0;  // the version at which it was replaced or removed
  };
  struct Session {
    std::uint64_t version = 0;
    StateSize size;
    std::map<std::string, StateEntry> entries;
    std::vector<Past> past;  // in the order of `until`
  };

  void apply(Session& session, const StateWrite& write);
  void retire(Session& session, std::map<std::string, StateEntry>::iterator current);
  void forget_past(Session& session);

  Blobs& blobs_;
  std::map<std::string, Session> sessions_;
};

}  // namespace ganglion::memory

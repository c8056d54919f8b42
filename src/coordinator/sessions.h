#pragma once

// The state that runs of a session share, as this process knows it: the latest snapshot of each session in
// use, in memory, so that deciding never waits for a read twice. The store is the truth: it numbers the
// versions, and a snapshot that may be behind is read again.
//
// What reads a session's state to decide what to write waits until a write of that session that is under way
// is durable: so a run's writes are made from the version before, and no other run's are lost. The commit
// names that version, and the store refuses it where another engine has written meanwhile.
//
// Expired keys are removed by a sweep, which makes a new version like any other write; until then an expired
// key is not shown.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "core/state.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion {

struct SessionsOptions {
  std::size_t kept = 1000;          // sessions in memory
  Duration sweep_every{5'000};      // for expired keys and what nothing refers to any more
  std::uint32_t sweep_limit = 500;  // keys a sweep
  Duration blob_grace{3'600'000};   // an unused blob is kept as long after it was put
};

class Sessions {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;
  using Snapshot = std::shared_ptr<const StateSnapshot>;

  Sessions(Store& store, Clock& clock, SessionsOptions options = {});
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  // Begins to sweep.
  void start();

  // The latest version, if it is in memory and nobody is writing another.
  Snapshot find(const std::string& session);
  // The same, read from the store if need be. Right after, `find` has it.
  void load(const std::string& session, Completion<Result<Snapshot>> done);

  // A version as the store has it; nothing: the latest. Errors: `not_found`, `gone`, `unavailable`.
  void read(const std::string& session, std::optional<std::uint64_t> version,
            Completion<Result<StateSnapshot>> done);
  // A write by a client. Gives the version that it made.
  void write(const std::string& session, StateWrite write, StatePrecondition precondition,
             Completion<StateOutcome> done);

  // A run's commit writes the session: until `end_write` the state is not at hand for anybody.
  void begin_write(const std::string& session);
  void end_write(const std::string& session);
  // Somebody else has written it: what is in memory is not the latest version.
  void moved(const std::string& session) { forget(session); }
  // A run has written, and the store has made it this version.
  void wrote(const StateCommit& commit, std::uint64_t version);

 private:
  struct Known {
    std::shared_ptr<StateSnapshot> snapshot;
    std::list<std::string>::iterator use;
  };

  void keep(const std::string& session, StateSnapshot snapshot);
  void forget(const std::string& session);
  void read_for(const std::string& session);
  void has_become(const std::string& session, std::uint64_t version);
  void sweep();
  void sweep_again();

  Store& store_;
  Clock& clock_;
  const SessionsOptions options_;
  std::unordered_map<std::string, Known> known_;
  std::list<std::string> recent_;  // of the known ones, latest first
  struct Loading {
    std::vector<Completion<Result<Snapshot>>> waiting;
    std::uint64_t at_least = 0;  // written meanwhile: what is read may be older
  };
  std::unordered_map<std::string, Loading> loading_;
  // Sessions that are being written, and what waits for that.
  std::unordered_map<std::string, std::vector<std::move_only_function<void()>>> writing_;
  std::optional<TimerId> timer_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion

#pragma once

// What the coordinator holds of one run, for its own files only.

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rare.h"
#include "coordinator/coordinator.h"

namespace ganglion {

// An input or a look, in the order in which they came.
struct Coordinator::Pending {
  // Nothing for a look.
  std::optional<Input> input;
  Completion<Result<Verdict>> done;
  Completion<Result<const Run*>> look;
};

// Decided and on its way to the store.
struct Coordinator::Batch {
  struct Answer {
    Pending pending;
    Result<Verdict> result;
  };

  std::uint64_t from_version = 0;
  bool creates = false;
  Timestamp at;
  std::vector<Event> events;
  std::vector<AttemptToken> withdrawn;  // those that agents perform or people are asked about
  std::vector<AttemptToken> unasked;    // of these, those that people were asked about
  std::vector<RunId> called_off;        // sub-runs that nobody needs any more
  std::vector<DeadLetter> dead_letters;
  std::vector<AttemptToken> revived;
  std::vector<CacheWrite> cached;
  std::vector<Answer> answers;
  std::string status_before;
  std::optional<Timestamp> ended_before;
  std::optional<IdempotencyClaim> claim;
  std::optional<ForkPoint> fork;
  std::optional<std::uint64_t> state_version;  // of the session, where expressions look at it
  std::optional<StateCommit> state;            // what the commit writes, for the snapshot in memory
  Completion<Result<StartedRun>> started;      // of a new run

  // Whether somebody is told that what they ask for can't be.
  bool refuses() const;
  // `run` is as the decision has left it.
  void add(const Run& run, Decision& decision);
};

// What a run has asked for, to be held against what it asks for later.
struct Coordinator::UnderWay {
  struct Attempt {
    AttemptToken token;
    std::optional<RunId> sub_run;  // that performs it
  };

  std::vector<Attempt> attempts;
  bool on_hold = false;

  bool has(const AttemptToken& token) const;
};

struct Coordinator::Cell {
  explicit Cell(RunId run_id) : id(std::move(run_id)) {}

  const RunId id;
  std::unique_ptr<Run> run;  // null while it is being read
  bool loading = false;
  bool behind = false;         // the store is to be asked for what is newer before anybody looks at the run
  bool heard = false;          // that another engine has written it, while it was not in memory
  bool catching_up = false;    // it is being asked
  bool loading_state = false;  // the session's, which the next decision looks at
  bool committing = false;
  bool settling = false;  // its inputs are being decided or answered: what comes meanwhile waits its turn
  // Where it is counted among the open runs that this engine looks after.
  struct Counted {
    std::map<std::string, std::size_t>::iterator tenant;
    std::map<std::pair<std::string, std::string>, std::size_t>::iterator definition;
  };
  std::optional<Counted> counted;
  bool retired = false;        // among those that may be forgotten
  std::list<Pending> waiting;  // nearly always empty, and then it costs nothing
  Rare<std::map<FollowerId, Follower>> followers;
  Rare<UnderWay> before;  // while it is read again: what was under way when it was thrown away
  TimerId timer;
  std::optional<Timestamp> timer_at;
  bool wake_waiting = false;  // the deadline has come and is among the inputs

  bool needed() const {
    return loading || catching_up || loading_state || committing || settling || !waiting.empty() ||
           !followers->empty() || counted.has_value();
  }
};

}  // namespace ganglion

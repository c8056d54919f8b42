#pragma once

// The promises of the contract, held against what a world's store has at the end and what its programs were
// told on the way. They know nothing of the scenario: whatever happened, these hold. After a failover that
// has lost acknowledged writes, what was said before it may be gone; what is there must still be consistent.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checkers/history.h"
#include "sim/checkers/stored_runs.h"

namespace ganglion::sim {

class Promises {
 public:
  // What may be taken for granted of a world's projects and programs, and only then be checked.
  struct Conventions {
    bool labels_name_keys = false;        // the label `key` of a run is its idempotency key
    std::set<std::string> counters = {};  // keys of sessions that steps only ever count up by one
    bool uses_fit_budgets = false;        // no attempt says that it used more than its agent's budget
    std::size_t timers_at_rest = 0;       // of an engine, beside its own: what waiting programs take
  };

  Promises(World& world, const History& history, Projects& projects, Conventions conventions);

  // Each says what is broken to the world.
  void check();

 private:
  void journal(const StoredRun& stored);
  void events_of(const StoredRun& stored);
  void whole_runs();
  void acknowledged_starts();
  void accepted_results();
  void inputs_of_tasks();
  void cancels();
  void decisions();
  void audit();
  void event_log();
  void session_state();
  void counters();
  void budgets();
  void records();
  void followers();
  void limits();
  void rest(EngineHost& host, std::size_t open_runs);
  void broken(const std::string& run, const std::string& what);
  const StoredRun* find(const std::string& run) const;

  World& world_;
  const History& history_;
  Projects& projects_;
  const Conventions conventions_;
  std::vector<StoredRun> runs_;
  std::map<std::string, const StoredRun*> by_id_;
  // From all journals, without what forks share.
  std::map<std::string, std::string> ends_;      // token → the type of the entry that ended the attempt
  std::map<std::string, std::string> inputs_;    // token → input
  std::map<std::string, std::string> decided_;   // token in a path → approve or reject
  std::set<std::string> published_;              // source and id
  std::map<std::string, std::uint64_t> counts_;  // session and key → writes
  std::set<std::string> asked_;                  // approvals that somebody waits for
};

}  // namespace ganglion::sim

#pragma once

// Everything that a world's store has of runs, folded by the same code that the engine folds with.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/run.h"
#include "ports/store.h"
#include "sim/world/world.h"

namespace ganglion::sim {

struct StoredRun {
  RunRecord record;
  std::vector<JournalEntry> journal;
  std::unique_ptr<Run> run;  // null where the journal can't be folded
  std::string problem;       // and why
};

// Project files are compiled once, whoever asks.
class Projects {
 public:
  explicit Projects(const Compile& compile) : compile_(compile) {}

  std::shared_ptr<const Project> of(StoreServer& store, const std::string& digest);

 private:
  const Compile& compile_;
  std::map<std::string, std::shared_ptr<const Project>> known_;
};

// Oldest first.
std::vector<StoredRun> stored_runs(StoreServer& store, Projects& projects);

// How many runs have not ended.
std::size_t count_open_runs(StoreServer& store);
// In the outbox.
std::size_t count_uncopied_runs(StoreServer& store);

}  // namespace ganglion::sim

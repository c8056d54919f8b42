#pragma once

// Sees every run of a world transition by transition, as its commits become durable: folds it, counts it, and
// holds it against the expectations that are about each run. What a commit makes visible together is one
// transition; nobody can see it half done.
//
// Only runs under way are kept.

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/run.h"
#include "ports/store.h"
#include "sim/scenario/expectations.h"
#include "sim/scenario/totals.h"
#include "sim/user_scenario/run_names.h"
#include "sim/world/world.h"

namespace ganglion::sim {

class RunWatch {
 public:
  // All outlive this.
  RunWatch(World& world, const scenario::Scenario& scenario, std::shared_ptr<const Project> project);

  // To be told of every commit, in order.
  void committed(const Commit& commit, const CommitOutcome& outcome);

  // Those that have not ended.
  const std::map<RunId, std::unique_ptr<Run>>& open() const { return open_; }
  std::size_t runs() const { return workflows_.size(); }
  const RunNames& names() const { return names_; }
  // Empty for an unknown run.
  std::string workflow_of(const RunId& run) const;
  // `run ID of WORKFLOW (NAME)`
  std::string describe(const Run& run) const;

  scenario::Totals& totals() { return totals_; }
  // The expectations of this kind, held against the totals as they are.
  void check_totals();

 private:
  void create(const Commit& commit);
  bool apply(Run& run, const JournalEntry& entry);
  void count(const Run& run, const Event& event);
  void count_attempt(const Run& run, StepIndex step, ItemIndex item, bool failed,
                     const std::optional<Payload>& usage);
  void look(const Run& run);
  void look(const scenario::Expectation& expectation, const scenario::Observed& observed, const Run& run);
  void end(const Run& run);
  bool is_looked_for(const scenario::Expectation& expectation, const Run& run) const;

  World& world_;
  const scenario::Scenario& scenario_;
  const std::shared_ptr<const Project> project_;
  RunNames names_;
  scenario::Totals totals_;
  std::map<RunId, std::unique_ptr<Run>> open_;
  std::map<RunId, const WorkflowDefinition*> workflows_;
  std::set<const scenario::Expectation*> seen_;  // of kind sometimes
};

}  // namespace ganglion::sim

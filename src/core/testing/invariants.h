#pragma once

// Watches one run, event by event, for the promises of the contract that a journal alone can break. Each
// violation is a sentence; no violations, no sentences.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/event.h"
#include "core/run.h"
#include "core/workflow.h"

namespace ganglion::testing {

class InvariantChecker {
 public:
  explicit InvariantChecker(const WorkflowDefinition& workflow) : workflow_(workflow) {}

  void observe(const Event& event, Timestamp at);
  // What the run counts as it goes, counted again; and that nothing is under way in a step that has ended.
  void recount(const Run& run);
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  using TaskKey = std::pair<std::uint32_t, std::uint32_t>;  // step, item
  struct TaskHistory {
    std::uint32_t attempt = 0;
    std::uint32_t failures = 0;  // of this agent, in this iteration, since the run was last retried
    std::uint32_t iteration = 1;
    TaskRole role = TaskRole::work;
    bool in_flight = false;
    bool accepted = false;
    std::optional<Timestamp> not_before;
  };

  void require(bool holds, const std::string& sentence) {
    if (!holds) violations_.push_back(sentence);
  }
  void starts(StepIndex step);
  void ends(StepIndex step);
  void final_state();
  static void forget(TaskHistory& task);
  template <typename Wanted>
  void reopen(Wanted wanted);
  bool may_follow_final(const Event& event) const {
    return std::holds_alternative<RunRetried>(event) || std::holds_alternative<RunForked>(event);
  }
  void answered(const TaskKey& task);
  void go_on_after_end();
  void recount_step(const Run& run, StepIndex step);

  const WorkflowDefinition& workflow_;
  std::vector<std::string> violations_;
  std::map<TaskKey, TaskHistory> tasks_;
  std::set<std::uint32_t> ended_steps_;
  std::set<std::uint32_t> broken_steps_;
  std::map<TaskKey, Timestamp> timers_;
  std::map<TaskKey, ForPerson> asked_;
  std::map<TaskKey, std::uint64_t> event_waits_;  // since
  std::set<TaskKey> answered_;                    // decided or delivered; their end follows
  std::set<std::string> signals_;
  std::set<std::string> used_signals_;
  bool created_ = false;
  bool final_ = false;
  bool paused_ = false;
};

// Whether the task's reports are the engine's own: those of sub-runs and of the cache.
bool is_performed_by_engine(const Run& run, const AttemptToken& token);

}  // namespace ganglion::testing

#pragma once

// What the expressions of a run can see: `input`, `steps.NAME.{output,error,status}`, `run`, `session`, the
// session's `state` at one version, inside a mapped step `item` and `index`, and where an event is looked at
// `event`. Payloads are parsed when an expression first looks inside them, once per scope: make one scope per
// decision, and none that outlives a change of the run.

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/expr/program.h"
#include "core/expr/value.h"
#include "core/run.h"
#include "core/state.h"

namespace ganglion {

class RunScope final : public expr::Scope {
 public:
  // `state` may be null: nothing was ever written.
  RunScope(const Run& run, const StateSnapshot* state) : run_(run), state_(state) {}

  std::optional<expr::Value> find(std::string_view name) const override;

  // Looks at the run from inside one task until `leave`: its item, if the step is mapped; its own output of
  // the iteration before, or the one that is being judged.
  void enter(StepIndex step, ItemIndex item, const Payload* own_output = nullptr);
  // Of a list that no task stands for.
  void enter_item(expr::Value item, std::size_t index);
  void leave();

  // With what was written so far; null: it is empty.
  const StateSnapshot* state() const { return state_; }
  // From now on the state is as after this write.
  void write_state(const StateWrite& write);
  void set_event(expr::Value event) { event_ = std::move(event); }
  // Only keys that all of these may read; without any, all keys. They outlive the scope or the next call.
  void limit_state(std::vector<const AgentDefinition*> readers) { readers_ = std::move(readers); }

 private:
  std::optional<expr::Value> find_step(std::string_view path) const;
  std::optional<expr::Value> find_state(std::string_view path) const;
  bool is_readable(std::string_view key) const;
  expr::Value cached(std::string_view name, const ReadableValue& value) const;

  const Run& run_;
  const StateSnapshot* state_;
  std::optional<StateSnapshot> written_;  // in place of state_, once something was written
  std::vector<const AgentDefinition*> readers_;
  std::optional<expr::Value> item_;
  std::size_t index_ = 0;
  std::optional<StepIndex> self_;
  std::optional<expr::Value> own_output_;
  std::optional<expr::Value> event_;
  mutable std::map<std::string, expr::Value, std::less<>> parsed_;
};

}  // namespace ganglion

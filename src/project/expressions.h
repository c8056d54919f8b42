#pragma once

// What a key's value becomes where expressions are evaluated: a template or a condition. The names that
// expressions of a project use are checked here against what exists at that place.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/expr/program.h"
#include "core/expr/template.h"
#include "core/ids.h"
#include "project/expression_reader.h"
#include "project/fields.h"

namespace ganglion::project {

using StepPositions = std::map<std::string, StepIndex, std::less<>>;

// What `event` is: nothing, an event on a topic, or a slot of a schedule.
enum class EventName { absent, published, slot };

// The names that exist at one place.
struct Names {
  bool of_run = true;  // input, steps, run, session, state
  bool item = false;   // item, index: inside a step with for_each
  bool self = false;   // the step's own output so far: where there is an `until`
  EventName event = EventName::absent;
};

// A key of the state that an expression mentions, or the beginning of the path inside its value:
// `state.case.status.since` is {"case", "status", "since"}.
struct StateMention {
  Field field;
  std::size_t offset;
  std::vector<std::string> path;  // empty: a key that isn't known before the expression is evaluated
};

// The expressions of one step (or of a workflow's output, or of a trigger), and what they mention.
class Expressions {
 public:
  // `self` is the step that they belong to.
  Expressions(const StepPositions& steps, std::optional<StepIndex> self, Diagnostics& diagnostics)
      : steps_(steps), self_(self), diagnostics_(diagnostics) {}

  // Any value, with expressions in its texts.
  expr::Template value(const Field& field, const Names& names);
  // true, false or one expression.
  std::optional<expr::Program> condition(const Field& field, const Names& names);
  // A list, or one expression.
  std::optional<expr::Template> list(const Field& field, const Names& names);
  // A duration, or one expression.
  expr::Template duration(const Field& field, const Names& names);

  // Other steps, with the beginning of the text that mentioned each first.
  const std::map<StepIndex, Position>& mentioned() const { return mentioned_; }
  // In the order in which they were read.
  const std::vector<StateMention>& state() const { return state_; }

 private:
  ExpressionReader reader(const Names& names);
  // One free name, at a byte of the field's text.
  void check(const Field& field, const expr::Reference& reference, std::size_t offset, const Names& names);
  void check_step(const Field& field, const expr::Reference& reference, std::size_t offset,
                  const Names& names);
  void check_state(const Field& field, const expr::Reference& reference, std::size_t offset);
  void refuse_unknown(const Field& field, const std::string& name, std::size_t offset, const Names& names);

  const StepPositions& steps_;
  std::optional<StepIndex> self_;
  Diagnostics& diagnostics_;
  std::map<StepIndex, Position> mentioned_;
  std::vector<StateMention> state_;
};

}  // namespace ganglion::project

#pragma once

// What a key's value becomes: JSON, a schema, a template or a condition. Expressions are compiled here, and
// the names they use are checked against what exists at that place.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/expr/program.h"
#include "core/expr/template.h"
#include "core/ids.h"
#include "core/schema/schema.h"
#include "project/fields.h"

namespace ganglion::project {

// Reports what JSON has no form for.
std::optional<std::string> read_json(const Field& field, Diagnostics& diagnostics);
std::optional<schema::Schema> read_schema(const Field& field, Diagnostics& diagnostics);

using StepPositions = std::map<std::string, StepIndex, std::less<>>;

enum class ItemNames { absent, present };  // `item` and `index`

// The expressions of one step (or of a workflow's output), and the steps that they mention.
class Expressions {
 public:
  Expressions(const StepPositions& steps, Diagnostics& diagnostics)
      : steps_(steps), diagnostics_(diagnostics) {}

  // Any value, with expressions in its texts.
  expr::Template value(const Field& field, ItemNames item);
  // true, false or one expression.
  std::optional<expr::Program> condition(const Field& field);
  // A list, or one expression.
  std::optional<expr::Template> list(const Field& field);
  // A duration, or one expression.
  expr::Template duration(const Field& field, ItemNames item);

  // With the beginning of the text that mentioned each first.
  const std::map<StepIndex, Position>& mentioned() const { return mentioned_; }

 private:
  expr::Template text(const Field& field, ItemNames item);
  void check(const Field& field, const expr::Reference& reference, std::size_t offset, ItemNames item);
  void check_step(const Field& field, const expr::Reference& reference, std::size_t offset);

  const StepPositions& steps_;
  Diagnostics& diagnostics_;
  std::map<StepIndex, Position> mentioned_;
};

}  // namespace ganglion::project

#pragma once

// Expressions in a file, compiled where they stand: what is wrong with one is reported at its own byte. Which
// names exist depends on the place, so whoever reads one says it: every free name of an expression is
// handed to the check.

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>

#include "core/expr/program.h"
#include "core/expr/template.h"
#include "project/fields.h"

namespace ganglion::project {

class ExpressionReader {
 public:
  // The name stands at byte `offset` of the field's text.
  using CheckName = std::function<void(const Field& field, const expr::Reference& name, std::size_t offset)>;

  ExpressionReader(Diagnostics& diagnostics, CheckName check)
      : diagnostics_(diagnostics), check_(std::move(check)) {}

  // Any value, with expressions in its texts.
  expr::Template value(const Field& field);
  // true, false or one expression.
  std::optional<expr::Program> condition(const Field& field);
  // A list, or one expression.
  std::optional<expr::Template> list(const Field& field);
  // A duration, or one expression.
  expr::Template duration(const Field& field);

 private:
  expr::Template text(const Field& field);

  Diagnostics& diagnostics_;
  CheckName check_;
};

}  // namespace ganglion::project

#pragma once

// What stands in a step's `input`, `output` or `transform`: JSON in which strings may hold `${{ expression
// }}`. A string that is exactly one expression keeps the type of its value; in a longer string values are
// interpolated: scalars as string() gives them, lists and maps as JSON, null as nothing. `$${{` stands for a
// literal `${{`.
//
// Immutable, shared by its copies and by threads.

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/payload.h"
#include "base/result.h"
#include "core/expr/program.h"

namespace ganglion::expr {

class Template {
 public:
  // null
  Template();

  static Template literal(Payload value);
  // `text` must be valid UTF-8. Offsets of the error are in bytes of `text`.
  static std::expected<Template, CompileError> text(std::string_view text);
  static Template list(std::vector<Template> items);
  // Keys are taken as they are (no expressions in them), and are different from one another.
  static Template object(std::vector<std::pair<std::string, Template>> members);

  // A bare expression that yields an untouched JSON payload gives that payload, without a copy. Errors: those
  // of program.h. The limits hold for the whole template.
  Result<Payload> render(const Scope& scope, const Limits& limits = {}) const;
  Result<Value> evaluate(const Scope& scope, const Limits& limits = {}) const;

  // Of every expression, in order. Offsets are in the text that the expression stands in.
  std::vector<Reference> references() const;
  // Of every expression; see Program::warnings.
  std::vector<CompileError> warnings() const;
  // No expression anywhere: it renders to the same bytes in every scope.
  bool is_literal() const;

 private:
  struct Node;
  explicit Template(std::shared_ptr<const Node> node) : node_(std::move(node)) {}

  std::shared_ptr<const Node> node_;
};

}  // namespace ganglion::expr

#pragma once

// One expression, compiled: parsed, checked, constants folded, constant regular expressions compiled, macro
// variables turned into slots. A program is immutable, shared by its copies and by threads, and has no side
// effects: the same scope gives the same result.
//
// Evaluation fails with one of these codes, the only ones:
//   unknown_name       nothing in scope has that name       unknown_function  no function or macro has that
//   name no_such_key        a map has no such key                no_such_overload  an operation does not take
//   such types index_out_of_range a list has no such index             duplicate_key     a map literal
//   repeats a key divide_by_zero     also for %                           overflow          a result does not
//   fit its type invalid_argument   a conversion that can't be made      invalid_regex     a pattern that RE2
//   refuses cost_exceeded      the budget is used up                too_deep          a value is nested too
//   deeply
// and, where a result is written as JSON, with not_json and too_large.

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/expr/limits.h"
#include "core/expr/value.h"

namespace ganglion::expr {

// Where free identifiers get their values. A dotted path `a.b.c` asks for "a.b.c", then "a.b", then "a", and
// selects the rest as fields: so a scope may answer for dotted names itself and never build the maps in
// between.
class Scope {
 public:
  virtual ~Scope() = default;
  virtual std::optional<Value> find(std::string_view name) const = 0;
};

struct CompileError {
  std::size_t offset = 0;  // in bytes from the start of the source
  std::string message;

  bool operator==(const CompileError&) const = default;
};

// A free identifier with the fields that are constantly selected from it: `steps.scan.output[i]` and
// `steps["scan"].output` are {"steps", "scan", "output"}. Macro variables and type names are not free.
struct Reference {
  std::vector<std::string> path;
  std::size_t offset = 0;

  bool operator==(const Reference&) const = default;
};

struct CompileOptions {
  // Names are looked for in this dotted namespace first, then in each one around it.
  std::string container;
};

struct Ast;
class Meter;

class Program {
 public:
  static std::expected<Program, CompileError> compile(std::string_view source,
                                                      const CompileOptions& options = {});

  Result<Value> evaluate(const Scope& scope, const Limits& limits = {}) const;
  // The same against a budget that several evaluations share.
  Result<Value> evaluate(const Scope& scope, Meter& meter) const;

  const std::vector<Reference>& references() const;
  // Calls that fail whenever they are evaluated (unknown functions, wrong number of arguments). The language
  // makes them failures of evaluation; a project file refuses them when it is read.
  const std::vector<CompileError>& warnings() const;
  const std::string& source() const;

 private:
  explicit Program(std::shared_ptr<const Ast> ast) : ast_(std::move(ast)) {}

  std::shared_ptr<const Ast> ast_;
};

}  // namespace ganglion::expr

#include "core/expr/program.h"

#include "core/expr/ast.h"
#include "core/expr/evaluator.h"
#include "core/expr/parser.h"

namespace ganglion::expr {

std::expected<Program, CompileError> Program::compile(std::string_view source,
                                                      const CompileOptions& options) {
  auto ast = Parser::parse(source, options);
  if (!ast) return std::unexpected(std::move(ast.error()));
  return Program(std::make_shared<const Ast>(std::move(*ast)));
}

Result<Value> Program::evaluate(const Scope& scope, const Limits& limits) const {
  Meter meter(limits);
  return evaluate(scope, meter);
}

Result<Value> Program::evaluate(const Scope& scope, Meter& meter) const {
  return Evaluator(*ast_, scope, meter).evaluate(ast_->root);
}

const std::vector<Reference>& Program::references() const {
  return ast_->references;
}
const std::vector<CompileError>& Program::warnings() const {
  return ast_->warnings;
}
const std::string& Program::source() const {
  return ast_->source;
}

}  // namespace ganglion::expr

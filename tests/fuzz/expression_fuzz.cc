// Any bytes as an expression, as a template and as JSON that an expression looks into: a value or an error,
// within the budget, and the same again the second time. Input: the expression, then, after a line feed, the
// JSON.

#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "core/expr/bindings.h"
#include "core/expr/template.h"
#include "core/expr/typed_json.h"

namespace {

using namespace ganglion;

// Small enough that a run takes milliseconds.
constexpr expr::Limits kLimits{.cost = 20'000, .max_result_bytes = 1 << 16};

void check_program(std::string_view source, const expr::Scope& scope) {
  auto program = expr::Program::compile(source);
  if (!program) {
    GANGLION_ASSERT(program.error().offset <= source.size());
    return;
  }
  for (const expr::Reference& reference : program->references())
    GANGLION_ASSERT(reference.offset < source.size());
  auto first = program->evaluate(scope, kLimits);
  auto second = program->evaluate(scope, kLimits);
  GANGLION_ASSERT(first.has_value() == second.has_value());
  if (!first) {
    GANGLION_ASSERT(first.error() == second.error());
    return;
  }
  auto once = first->to_json(kLimits.max_result_bytes);
  auto again = second->to_json(kLimits.max_result_bytes);
  GANGLION_ASSERT(once == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view source = input.substr(0, input.find('\n'));
  std::string_view json = source.size() < input.size() ? input.substr(source.size() + 1) : std::string_view();
  expr::Bindings bindings;
  // Not checked for validity: a lazy value must survive what should never have become a payload.
  bindings.set("input", expr::Value::json(Payload(std::string(json))));
  check_program(source, bindings);
  if (auto node = expr::Template::text(source)) {
    auto rendered = node->render(bindings, kLimits);
    GANGLION_ASSERT(!rendered || node->is_literal() || rendered->size() <= kLimits.max_result_bytes);
  }
  return 0;
}

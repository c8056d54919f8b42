// Properties over generated values, sources and budgets.

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <string>

#include "core/expr/bindings.h"
#include "core/expr/json_scan.h"
#include "core/expr/template.h"
#include "core/expr/typed_json.h"
#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

// The same cases in every run, unless the environment asks for others (RC_PARAMS="seed=…").
[[maybe_unused]] const int kSeeded = setenv("RC_PARAMS", "seed=20260301", 0);

std::string text_of_code_points(const std::vector<std::uint32_t>& code_points) {
  std::string text;
  for (std::uint32_t code_point : code_points) {
    if (is_scalar_value(code_point)) append_code_point(text, code_point);
  }
  return text;
}

rc::Gen<std::string> any_text() {
  return rc::gen::map(
      rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 0x2FFFF)),
      text_of_code_points);
}

rc::Gen<Value> any_json_value(int depth) {
  auto scalar = rc::gen::oneOf(
      rc::gen::just(Value()), rc::gen::map(rc::gen::arbitrary<bool>(), Value::boolean),
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), Value::integer),
      rc::gen::map(rc::gen::arbitrary<double>(), Value::real), rc::gen::map(any_text(), Value::string));
  if (depth == 0) return scalar;
  // Smaller inside, or a few levels make values of millions of parts.
  constexpr double kInnerScale = 0.2;
  auto inner = rc::gen::scale(kInnerScale, any_json_value(depth - 1));
  return rc::gen::oneOf(scalar, rc::gen::map(rc::gen::container<std::vector<Value>>(inner), Value::list),
                        rc::gen::map(rc::gen::container<std::vector<std::pair<std::string, Value>>>(
                                         rc::gen::pair(any_text(), inner)),
                                     Value::object));
}

// Pieces of expressions, so that random sources get past the lexer.
rc::Gen<std::string> any_source() {
  auto piece = rc::gen::element<std::string>(
      "1", "0", "x", "xs", "'a'", "b'\\xff'", "1.5", "2u", "(", ")", "[", "]", "{", "}", ",", ":", ".", "?",
      "+", "-", "*", "/", "%", "!", "&&", "||", "==", "<", ">=", " in ", ".map(v, ", ".all(v, ",
      ".filter(i, v, ", "has(", ".size()", "size(", "string(", "v", "null", "true", "-9223372036854775808",
      ".getHours()", "timestamp(", "`a b`", "//", "\n");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                      [](const std::vector<std::string>& pieces) {
                        std::string source;
                        for (const std::string& each : pieces) source += each;
                        return source;
                      });
}

rc::Gen<std::string> joined(std::vector<rc::Gen<std::string>> parts) {
  auto all = rc::gen::just(std::string());
  for (auto& part : parts) {
    all = rc::gen::map(rc::gen::pair(all, part), [](const auto& pair) { return pair.first + pair.second; });
  }
  return all;
}

// Expressions that compile, over the names of some_bindings().
rc::Gen<std::string> any_expression(int depth) {
  auto leaf = rc::gen::element<std::string>("1", "0", "-9223372036854775808", "2u", "1.5", "'a'", "b'\\xff'",
                                            "null", "true", "x", "xs", "v.x", "missing", "int", "[]", "{}",
                                            "timestamp(0)", "duration('1h')");
  if (depth == 0) return leaf;
  auto inner = any_expression(depth - 1);
  auto text = [](std::string fixed) { return rc::gen::just(std::move(fixed)); };
  auto binary = rc::gen::element<std::string>(" + ", " - ", " * ", " / ", " % ", " == ", " < ",
                                              " >= ", " in ", " && ", " || ");
  auto function =
      rc::gen::element<std::string>("size(", "int(", "uint(", "double(", "string(", "bytes(", "bool(",
                                    "timestamp(", "duration(", "type(", "dyn(", "-(", "!(");
  auto macro =
      rc::gen::element<std::string>(".all(y, ", ".exists(y, ", ".exists_one(y, ", ".filter(y, ", ".map(y, ",
                                    ".all(i, y, ", ".transformList(i, y, ", ".transformMap(i, y, ");
  auto method = rc::gen::element<std::string>(".startsWith(", ".contains(", ".matches(", ".endsWith(");
  return rc::gen::oneOf(leaf, joined({text("("), inner, text(")"), binary, text("("), inner, text(")")}),
                        joined({function, inner, text(")")}),
                        joined({text("("), inner, text(")"), macro, inner, text(" == y)")}),
                        joined({text("("), inner, text(")"), method, inner, text(")")}),
                        joined({text("("), inner, text(" ? "), inner, text(" : "), inner, text(")")}),
                        joined({text("["), inner, text(", "), inner, text("]")}),
                        joined({text("{"), inner, text(": "), inner, text("}")}),
                        joined({text("("), inner, text(")["), inner, text("]")}),
                        joined({text("has(("), inner, text(").x)")}));
}

Bindings some_bindings() {
  return *Bindings::from_json(R"({"x": 1, "xs": [1, 2.5, "a", null, {"a b": [true]}], "v": {"x": "y"}})");
}

RC_GTEST_PROP(ExpressionProperties, a_value_survives_json, ()) {
  Value value = *any_json_value(3);
  auto once = value.to_json();
  RC_ASSERT(once.has_value());
  RC_ASSERT(is_json(once->bytes()));
  RC_ASSERT(identical(Value::json(*once), value));
}

RC_GTEST_PROP(ExpressionProperties, a_value_survives_typed_json, ()) {
  Value value = *any_json_value(3);
  auto read = value_of_typed_json(Value::json(Payload(typed_json(value))));
  RC_ASSERT(read.has_value());
  RC_ASSERT(identical(*read, value));
}

RC_GTEST_PROP(ExpressionProperties, rebuilding_a_lazy_value_gives_the_same_value, ()) {
  Value value = *any_json_value(3);
  Payload payload = *value.to_json();
  Value lazy = Value::json(payload);
  RC_ASSERT(identical(lazy, Value::json(Payload(std::string(payload.bytes())))));
  RC_ASSERT(lazy.to_json()->bytes() == payload.bytes());
}

RC_GTEST_PROP(ExpressionProperties, any_bytes_are_refused_or_compiled, (const std::string& source)) {
  auto program = Program::compile(source);
  if (!program) RC_ASSERT(program.error().offset <= source.size());
}

RC_GTEST_PROP(ExpressionProperties, any_sequence_of_tokens_ends_in_a_value_or_an_error, ()) {
  std::string source = *any_source();
  auto program = Program::compile(source);
  if (!program) {
    RC_ASSERT(program.error().offset <= source.size());
    return;
  }
  auto value = program->evaluate(some_bindings());
  if (value) RC_ASSERT(!typed_json(*value).empty());
}

RC_GTEST_PROP(ExpressionProperties, an_expression_gives_the_same_result_every_time, ()) {
  auto program = Program::compile(*any_expression(4));
  RC_ASSERT(program.has_value());
  auto first = program->evaluate(some_bindings());
  auto second = program->evaluate(some_bindings());
  RC_ASSERT(first.has_value() == second.has_value());
  bool same = first ? identical(*first, *second) : first.error() == second.error();
  RC_ASSERT(same);
}

RC_GTEST_PROP(ExpressionProperties, a_larger_budget_never_changes_a_result_that_was_reached, ()) {
  auto program = Program::compile(*any_expression(3));
  RC_ASSERT(program.has_value());
  auto cost = *rc::gen::inRange<std::uint64_t>(0, 40);
  auto small = program->evaluate(some_bindings(), Limits{.cost = cost});
  auto large = program->evaluate(some_bindings());
  if (small) RC_ASSERT(large && identical(*small, *large));
  if (!small && small.error().code != "cost_exceeded") RC_ASSERT(!large && large.error() == small.error());
}

RC_GTEST_PROP(ExpressionProperties, an_expression_means_the_same_in_a_template, ()) {
  std::string source = *any_expression(3);
  auto value = Program::compile(source)->evaluate(some_bindings());
  auto expected = value ? value->to_json() : Result<Payload>(std::unexpected(value.error()));
  auto rendered = Template::text("${{" + source + "}}")->render(some_bindings());
  bool same = rendered == expected;
  RC_ASSERT(same);
}

RC_GTEST_PROP(ExpressionProperties, text_without_an_opening_is_rendered_as_itself, ()) {
  std::string text = *any_text();
  RC_PRE(!text.contains("${{"));
  auto rendered = Template::text(text)->render(Bindings());
  RC_ASSERT(rendered.has_value());
  RC_ASSERT(Value::json(*rendered).as_string() == text);
}

}  // namespace
}  // namespace ganglion::expr

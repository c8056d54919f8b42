#include "core/expr/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "core/expr/bindings.h"
#include "core/expr/typed_json.h"

namespace ganglion::expr {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The typed value, or the code of the error, or the place and message of the compile error.
std::string run(std::string_view source, std::string_view bindings = "{}", const Limits& limits = {}) {
  auto program = Program::compile(source);
  if (!program) return std::to_string(program.error().offset) + ": " + program.error().message;
  auto value = program->evaluate(*Bindings::from_json(bindings), limits);
  return value ? typed_json(*value) : value.error().code;
}

std::vector<std::vector<std::string>> paths(std::string_view source) {
  std::vector<std::vector<std::string>> found;
  for (const Reference& reference : Program::compile(source)->references()) found.push_back(reference.path);
  return found;
}

const std::string kTrue = R"({"bool": true})";
const std::string kFalse = R"({"bool": false})";

TEST(Program, reads_json_by_field_and_index) {
  constexpr auto kBindings = R"({"steps": {"scan": {"output": [{"name": "a"}, {"name": "b"}]}}, "index": 1})";
  EXPECT_EQ(run("steps.scan.output[index].name", kBindings), R"({"string": "b"})");
  EXPECT_EQ(run("steps['scan'].output[0]['name']", kBindings), R"({"string": "a"})");
  EXPECT_EQ(run("size(steps.scan.output)", kBindings), R"({"int": 2})");
  EXPECT_EQ(run("steps.other", kBindings), "no_such_key");
  EXPECT_EQ(run("steps.scan.output[2]", kBindings), "index_out_of_range");
  EXPECT_EQ(run("steps.scan.output[-1]", kBindings), "index_out_of_range");
  EXPECT_EQ(run("nothing.there", kBindings), "unknown_name");
}

TEST(Program, an_error_is_absorbed_by_a_decisive_operand_on_either_side) {
  EXPECT_EQ(run("1 / 0 == 1 || true"), kTrue);
  EXPECT_EQ(run("true || 1 / 0 == 1"), kTrue);
  EXPECT_EQ(run("unknown && false"), kFalse);
  EXPECT_EQ(run("false || unknown || true || 1 / 0 == 1"), kTrue);
  EXPECT_EQ(run("true && 1 / 0 == 1"), "divide_by_zero");
  EXPECT_EQ(run("true ? 1 : 1 / 0"), R"({"int": 1})");
  EXPECT_EQ(run("[1, 0].exists(x, 1 / x == 1)"), kTrue);
  EXPECT_EQ(run("[0, 1].all(x, 1 / x == 2)"), kFalse);
}

TEST(Program, every_kind_of_failure_has_its_code) {
  EXPECT_EQ(run("9223372036854775807 + 1"), "overflow");
  EXPECT_EQ(run("1 % 0"), "divide_by_zero");
  EXPECT_EQ(run("1 + 1.0"), "no_such_overload");
  EXPECT_EQ(run("f(1)"), "unknown_function");
  EXPECT_EQ(run("'a'.size(1)"), "no_such_overload");
  EXPECT_EQ(run("int('x')"), "invalid_argument");
  EXPECT_EQ(run("double('1e999')"), "overflow");
  EXPECT_EQ(run("{x: 1, 'a': 2}", R"({"x": "a"})"), "duplicate_key");
  EXPECT_EQ(run("'a'.matches(x)", R"({"x": "("})"), "invalid_regex");
  EXPECT_EQ(run("1.filter(x, true)"), "no_such_overload");
}

TEST(Program, has_tells_an_absent_field_from_a_null_one) {
  EXPECT_EQ(run("has(a.b)", R"({"a": {"b": null}})"), kTrue);
  EXPECT_EQ(run("has(a.b)", R"({"a": {}})"), kFalse);
  EXPECT_EQ(run("has(a.b.c)", R"({"a": {}})"), "no_such_key");
  EXPECT_EQ(run("has(a.b)", R"({"a": 1})"), "no_such_overload");
  EXPECT_EQ(run("has(a)"), "0: has() takes one field selection: has(a.b)");
}

TEST(Program, a_scope_may_answer_for_dotted_names) {
  class Dotted final : public Scope {
    std::optional<Value> find(std::string_view name) const override {
      return name == "steps.scan" ? std::optional(Value::object({{"output", Value::integer(7)}}))
                                  : std::nullopt;
    }
  };
  EXPECT_EQ(typed_json(*Program::compile("steps.scan.output")->evaluate(Dotted())), R"({"int": 7})");
  EXPECT_EQ(typed_json(*Program::compile("has(steps.scan.error)")->evaluate(Dotted())), kFalse);
  EXPECT_EQ(typed_json(*Program::compile("has(steps.scan)")->evaluate(Dotted())), kTrue);
}

TEST(Program, references_are_the_free_names_with_their_constant_paths) {
  EXPECT_THAT(paths("steps.scan.output[0].name + input.diff"),
              ElementsAre(ElementsAre("steps", "scan", "output"), ElementsAre("input", "diff")));
  EXPECT_THAT(paths("steps['scan'].output"), ElementsAre(ElementsAre("steps", "scan", "output")));
  EXPECT_THAT(paths("steps[name].output"), ElementsAre(ElementsAre("steps"), ElementsAre("name")));
  EXPECT_THAT(paths("has(steps.scan.error)"), ElementsAre(ElementsAre("steps", "scan", "error")));
  EXPECT_THAT(paths("input.list.map(i, i.x + item.y)"),
              ElementsAre(ElementsAre("input", "list"), ElementsAre("item", "y")));
  EXPECT_THAT(paths("[1].map(i, .i.x)"), ElementsAre(ElementsAre("i", "x")));
  EXPECT_THAT(paths("type(input) == int"), ElementsAre(ElementsAre("input")));
  EXPECT_EQ(Program::compile("1 + input.x")->references()[0].offset, 4U);
}

TEST(Program, errors_of_compilation_say_where) {
  EXPECT_EQ(run("1 + "), "4: expected a value, found the end of the expression");
  EXPECT_EQ(run("a b"), "2: unexpected 'b'");
  EXPECT_EQ(run("(1"), "2: expected ')' to close the parenthesis, found the end of the expression");
  EXPECT_EQ(run("a = 1"), "2: unexpected '='");
  EXPECT_EQ(run("'abc"), "0: the literal is not closed");
  EXPECT_EQ(run("'a\\q'"),
            "2: unknown escape sequence; in a raw literal (r'…') backslashes stand for themselves");
  EXPECT_EQ(run("'\\ud800'"), "1: the escape sequence is not a Unicode code point");
  EXPECT_EQ(run("1 + while"), "4: 'while' is a reserved word");
  EXPECT_EQ(run("9223372036854775808"), "0: the number is out of range");
  EXPECT_EQ(run("'a'.matches('(')"), "4: invalid regular expression: missing ): (");
  EXPECT_EQ(run("[1].map(1, 2)"), "8: expected the name of a macro's variable");
  EXPECT_EQ(run("[1].all(x, x, true)"), "11: the variables of a macro need different names");
  EXPECT_EQ(run("'\xff'"), "1: invalid UTF-8");
  EXPECT_EQ(run("1a"), "1: a number runs into a name");
  EXPECT_EQ(run(""), "0: expected a value, found the end of the expression");
}

TEST(Program, calls_of_what_does_not_exist_are_warned_of) {
  auto program = Program::compile("input.strartsWith('a') || size() == 1 || 'a'.size() == 1");
  ASSERT_TRUE(program);
  ASSERT_EQ(program->warnings().size(), 2U);
  EXPECT_EQ(program->warnings()[0].offset, 6U);
  EXPECT_THAT(program->warnings()[0].message, HasSubstr("strartsWith"));
  EXPECT_EQ(program->warnings()[1].offset, 26U);
}

TEST(Program, nesting_is_bounded_where_it_is_compiled) {
  auto nested = [](int depth) { return std::string(depth, '(') + "1" + std::string(depth, ')'); };
  EXPECT_EQ(run(nested(kMaxNesting - 1)), R"({"int": 1})");
  EXPECT_THAT(run(nested(kMaxNesting)), HasSubstr("nested more than"));
  EXPECT_THAT(run(nested(10'000)), HasSubstr("nested more than"));
  EXPECT_THAT(run(std::string(30'000, '[')), HasSubstr("nested more than"));
  std::string selects = "a";
  for (int i = 0; i < 1000; ++i) selects += ".b";
  EXPECT_THAT(run(selects), HasSubstr("nested more than"));
  EXPECT_THAT(run(std::string(kMaxSourceBytes + 1, ' ')), HasSubstr("longer than"));
}

TEST(Program, long_chains_of_one_logical_operator_are_not_nested) {
  std::string source = "false";
  for (int i = 0; i < 5000; ++i) source += "||false";
  EXPECT_EQ(run(source), kFalse);
  EXPECT_EQ(run(std::string(10'001, '!') + "true"), kFalse);
  EXPECT_EQ(run(std::string(10'000, '-') + "x", R"({"x": 2})"), R"({"int": 2})");
}

TEST(Program, the_deepest_expressions_that_compile_evaluate) {
  for (auto [prefix, suffix, result] :
       {std::tuple("[", "].map(x, x)[0]", R"({"int": 1})"), std::tuple("false ? 2 : ", "", R"({"int": 1})"),
        std::tuple("-(0 - (", "))", R"({"int": 1})")}) {
    std::string deepest;
    for (std::string source = "1"; Program::compile(source); source = prefix + source + suffix)
      deepest = source;
    EXPECT_GT(deepest.size(), 200U);
    EXPECT_EQ(run(deepest), result);
  }
}

std::string nested_macros(int depth) {
  std::string body = "true";
  for (int i = 0; i < depth; ++i) body = "l.all(x" + std::to_string(i) + ", " + body + ")";
  return body;
}

TEST(Program, nested_macros_end_at_the_cost_limit) {
  std::string list = "[0";
  for (int i = 1; i < 100; ++i) list += ",0";
  std::string bindings = "{\"l\": " + list + "]}";
  EXPECT_EQ(run(nested_macros(2), bindings), kTrue);
  EXPECT_EQ(run(nested_macros(8), bindings), "cost_exceeded");
  EXPECT_EQ(run("true || " + nested_macros(8), bindings), kTrue);
}

TEST(Program, the_cost_limit_is_never_absorbed) {
  EXPECT_EQ(run("[1, 2, 3, 4, 5, 6, 7, 8].all(x, x > 0) || true", "{}", Limits{.cost = 10}), "cost_exceeded");
  EXPECT_EQ(run("[1, 2, 3, 4].exists(x, [1, 2, 3].all(y, true))", "{}", Limits{.cost = 5}), "cost_exceeded");
}

TEST(Program, bytes_that_are_built_or_scanned_cost) {
  std::string bindings = "{\"s\": \"" + std::string(100'000, 'a') + "\"}";
  EXPECT_EQ(run("s + s", bindings, Limits{.cost = 1000}), "cost_exceeded");
  EXPECT_EQ(run("s.contains('b')", bindings, Limits{.cost = 1000}), "cost_exceeded");
  EXPECT_EQ(run("s == s + ''", bindings, Limits{.cost = 15'000}), "cost_exceeded");
  EXPECT_EQ(run("s.contains('b')", bindings), kFalse);
  // Doubling a string nineteen times would be fifty gigabytes.
  std::string doubled = "s";
  for (int i = 0; i < 19; ++i) doubled = "[" + doubled + "].map(x, x + x)[0]";
  EXPECT_EQ(run(doubled, bindings), "cost_exceeded");
}

TEST(Program, regular_expressions_are_bounded) {
  EXPECT_EQ(run("'aaaa'.matches('(a+)+b')"), kFalse);
  EXPECT_THAT(run("'a'.matches('((a{100}){100}){100}')"), HasSubstr("invalid regular expression"));
  EXPECT_EQ(run("'a'.matches(p)", "{\"p\": \"" + std::string(kMaxPatternBytes + 1, 'a') + "\"}"),
            "invalid_regex");
}

TEST(Program, patterns_that_are_not_constant_cost_what_their_programs_take) {
  constexpr auto kBindings = R"({"p": "(a{30}){30}"})";
  EXPECT_EQ(run("'b'.matches(p)", kBindings), kFalse);
  EXPECT_EQ(run("'b'.matches(p)", kBindings, Limits{.cost = 500}), "cost_exceeded");
  EXPECT_EQ(run("'b'.matches('(a{30}){30}')", kBindings, Limits{.cost = 500}), kFalse);
  EXPECT_EQ(run("'b'.matches('(a{30}){30}')", kBindings, Limits{.cost = 40}), "cost_exceeded");
}

TEST(Program, long_keys_cost_where_they_are_looked_up) {
  std::string key(100'000, 'k');
  std::string bindings = "{\"k\": \"" + key + "\", \"m\": {\"" + key + "\": 1}}";
  EXPECT_EQ(run("k in m && m[k] == 1 && {k: 1} == m", bindings), kTrue);
  for (std::string_view lookup :
       {"[1, 2, 3].all(x, k in m)", "[1, 2, 3].all(x, m[k] == 1)", "[1, 2, 3].all(x, {k: 1} == m)"}) {
    EXPECT_EQ(run(lookup, bindings, Limits{.cost = 30'000}), "cost_exceeded") << lookup;
  }
}

TEST(Program, deep_json_is_compared_up_to_a_bound) {
  std::string deep = std::string(499, '[') + std::string(499, ']');
  EXPECT_EQ(run("a == b", "{\"a\": " + deep + ", \"b\": " + deep + "}"), kTrue);
}

TEST(Program, numbers_of_json_meet_numbers_of_the_language) {
  EXPECT_EQ(run("x == 1 && x == 1.0 && x in [1u]", R"({"x": 1})"), kTrue);
  EXPECT_EQ(run("x == 1", R"({"x": 1.0})"), kTrue);
  EXPECT_EQ(run("x > 1", R"({"x": 1.5})"), kTrue);
  EXPECT_EQ(run("x + 1", R"({"x": 1.5})"), "no_such_overload");
  EXPECT_EQ(run("x + double(1)", R"({"x": 1.5})"), R"({"double": 2.5})");
}

TEST(Program, times_are_computed_in_utc_or_at_an_offset) {
  EXPECT_EQ(run("timestamp('2024-02-28T23:30:00Z') + duration('45m') == timestamp('2024-02-29T00:15:00Z')"),
            kTrue);
  EXPECT_EQ(run("timestamp('2024-02-29T01:00:00+02:00').getDate()"), R"({"int": 28})");
  EXPECT_EQ(run("timestamp('2023-02-29T00:00:00Z')"), "invalid_argument");
  EXPECT_EQ(run("string(duration('1h1m1.25s'))"), R"({"string": "3661.25s"})");
  EXPECT_EQ(run("string(timestamp('1969-12-31T23:59:59.5Z') + duration('-1ms'))"),
            R"({"string": "1969-12-31T23:59:59.499Z"})");
  EXPECT_EQ(run("timestamp('2024-01-01T00:00:00Z').getHours('Europe/Paris')"), "invalid_argument");
  EXPECT_EQ(run("type(duration('1s')) == google.protobuf.Duration"), kTrue);
}

TEST(Program, comments_and_space_do_not_matter) {
  EXPECT_EQ(run(" // first\n\t1 +\r\n // second\n 1 // last"), R"({"int": 2})");
}

TEST(Program, copies_share_one_tree) {
  Program program = *Program::compile("input.a");
  Program copy = program;
  EXPECT_EQ(&program.source(), &copy.source());
}

}  // namespace
}  // namespace ganglion::expr

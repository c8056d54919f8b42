#include "core/expr/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/expr/bindings.h"

namespace ganglion::expr {
namespace {

using testing::ElementsAre;

constexpr auto kBindings = R"({"input": {"name": "Ada", "tags": ["a", {"b": 1.50}], "none": null, "n": 3}})";

std::string render(const Template& node, const Limits& limits = {}) {
  auto payload = node.render(*Bindings::from_json(kBindings), limits);
  return payload ? std::string(payload->bytes()) : payload.error().code;
}

std::string render(std::string_view text) {
  auto node = Template::text(text);
  if (!node) return std::to_string(node.error().offset) + ": " + node.error().message;
  return render(*node);
}

TEST(Template, one_expression_alone_keeps_its_type) {
  EXPECT_EQ(render("${{ input.n }}"), "3");
  EXPECT_EQ(render("${{ input.n > 2 }}"), "true");
  EXPECT_EQ(render("${{ input.tags }}"), R"(["a", {"b": 1.50}])");
  EXPECT_EQ(render("${{ input.none }}"), "null");
  EXPECT_EQ(render("${{ 1.0 }}"), "1.0");
}

TEST(Template, in_a_longer_text_values_are_interpolated) {
  EXPECT_EQ(render("Hello ${{ input.name }}!"), R"("Hello Ada!")");
  EXPECT_EQ(render("${{ input.name }}${{ input.n }}"), R"("Ada3")");
  EXPECT_EQ(render("<${{ input.none }}>"), R"("<>")");
  EXPECT_EQ(render("tags: ${{ input.tags }}"), R"("tags: [\"a\", {\"b\": 1.50}]")");
  EXPECT_EQ(render(" ${{ input.n }}"), R"(" 3")");
  EXPECT_EQ(render("${{ true }} ${{ 1.5 }} ${{ timestamp(0) }} ${{ duration('90s') }}"),
            R"("true 1.5 1970-01-01T00:00:00Z 90s")");
}

TEST(Template, text_without_expressions_is_a_string) {
  EXPECT_EQ(render("plain \"text\""), R"("plain \"text\"")");
  EXPECT_EQ(render(""), R"("")");
  EXPECT_EQ(render("$ { {{ }} $"), R"("$ { {{ }} $")");
  EXPECT_TRUE(Template::text("plain")->is_literal());
}

TEST(Template, a_doubled_dollar_stands_for_a_literal_opening) {
  EXPECT_EQ(render("$${{ input.n }}"), R"("${{ input.n }}")");
  EXPECT_EQ(render("a$${{${{ input.n }}"), R"("a${{3")");
}

TEST(Template, braces_inside_an_expression_do_not_close_it) {
  EXPECT_EQ(render("${{ {'a': {'b': 1}}.a.b }}"), "1");
  EXPECT_EQ(render("${{ '}}' }}"), R"("}}")");
  EXPECT_EQ(render("${{ {'a': {}} }}"), R"({"a":{}})");
}

TEST(Template, errors_say_where_in_the_text) {
  EXPECT_EQ(render("ab ${{ 1 + }}"), "10: expected a value, found the end of the expression");
  EXPECT_EQ(render("ab ${{ 1"), "3: '${{' is not closed by '}}'");
  EXPECT_EQ(render("${{ }}"), "3: an expression is missing between '${{' and '}}'");
  EXPECT_EQ(render("${{ 1 } }}"), "6: expected '}}'");
}

TEST(Template, a_bare_expression_gives_an_untouched_payload_back_without_a_copy) {
  Payload payload(R"({"large": [1,2,3]})");
  Bindings bindings;
  bindings.set("input", Value::json(payload));
  auto out = Template::text("${{ input }}")->render(bindings);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->bytes().data(), payload.bytes().data());
}

TEST(Template, structure_is_rendered_around_its_expressions) {
  Template node = Template::object(
      {{"who", *Template::text("${{ input.name }}")},
       {"list", Template::list({*Template::text("${{ input.n }}"), Template::literal(Payload("[ 1 ]"))})},
       {"quote\"", Template::object({})},
       {"empty", Template::list({})}});
  EXPECT_EQ(render(node), R"({"who":"Ada","list":[3,[ 1 ]],"quote\"":{},"empty":[]})");
  auto value = node.evaluate(*Bindings::from_json(kBindings));
  ASSERT_TRUE(value);
  EXPECT_EQ(std::string(value->to_json()->bytes()), render(node));
}

TEST(Template, a_failing_expression_fails_the_template) {
  EXPECT_EQ(render("${{ input.missing }}"), "no_such_key");
  EXPECT_EQ(render(Template::list({*Template::text("a ${{ 1 / 0 }}")})), "divide_by_zero");
  EXPECT_EQ(render("${{ 0.0 / 0.0 }}"), "not_json");
}

TEST(Template, limits_hold_for_the_whole_template) {
  Template repeated = *Template::text("${{ input.tags }}");
  EXPECT_EQ(render(Template::list({repeated, repeated}), Limits{.max_result_bytes = 30}), "too_large");
  EXPECT_EQ(render(Template::list(std::vector<Template>(100, repeated)), Limits{.cost = 100}),
            "cost_exceeded");
  Template deep;
  for (int i = 0; i < kMaxNesting; ++i) deep = Template::list({deep});
  EXPECT_EQ(render(deep), "too_deep");
}

TEST(Template, references_and_warnings_are_those_of_every_expression) {
  Template node = Template::object({{"a", *Template::text("x ${{ input.name }} ${{ steps.s.output + f() }}")},
                                    {"b", Template::list({*Template::text("${{ item }}")})}});
  std::vector<std::vector<std::string>> paths;
  for (const Reference& reference : node.references()) paths.push_back(reference.path);
  EXPECT_THAT(paths, ElementsAre(ElementsAre("input", "name"), ElementsAre("steps", "s", "output"),
                                 ElementsAre("item")));
  EXPECT_EQ(node.references()[0].offset, 6U);
  EXPECT_EQ(node.warnings().size(), 1U);
  EXPECT_EQ(node.warnings()[0].offset, 41U);
  EXPECT_FALSE(node.is_literal());
}

}  // namespace
}  // namespace ganglion::expr

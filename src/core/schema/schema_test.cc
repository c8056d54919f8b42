#include "core/schema/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/json.hpp>

#include "core/schema/number.h"
#include "core/schema/uri.h"

namespace ganglion::schema {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Schema compiled(std::string_view text) {
  auto schema = Schema::compile(json::parse(json::string_view(text.data(), text.size())));
  EXPECT_TRUE(schema) << schema.error().message;
  return *schema;
}

std::string defect_of(std::string_view text) {
  const auto schema = Schema::compile(json::parse(json::string_view(text.data(), text.size())));
  if (schema) return "none";
  EXPECT_EQ(schema.error().code, "invalid_schema");
  return schema.error().message;
}

std::vector<Violation> violations_of(std::string_view schema, std::string_view instance) {
  return *compiled(schema).validate_json(instance);
}

bool accepts(std::string_view schema, std::string_view instance) {
  return violations_of(schema, instance).empty();
}

TEST(SchemaViolations, name_the_place_and_what_would_be_right) {
  const auto violations = violations_of(
      R"({"type": "object", "required": ["diff"], "properties": {"files": {"items": {"type": "string"}}}})",
      R"({"files": ["a", 7]})");
  ASSERT_THAT(violations, SizeIs(2));
  EXPECT_EQ(violations[0], (Violation{"", "\"diff\" is missing"}));
  EXPECT_EQ(violations[1], (Violation{"/files/1", "must be string, is integer"}));
}

TEST(SchemaViolations, escape_the_pointer) {
  EXPECT_EQ(violations_of(R"({"additionalProperties": false})", R"({"a/b~c": 1})")[0].path, "/a~1b~0c");
}

TEST(SchemaViolations, are_counted_up_to_the_bound) {
  std::string instance = "[0";
  for (std::size_t i = 0; i < 2 * kMaxViolations; ++i) instance += ",0";
  EXPECT_THAT(violations_of(R"({"items": {"type": "string"}})", instance + "]"), SizeIs(kMaxViolations));
}

TEST(SchemaViolations, of_a_branch_that_may_fail_are_not_told) {
  const auto violations = violations_of(
      R"({"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "null"}}, "type": "object"}]})",
      R"({"a": 1})");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(violations[0].message, HasSubstr("anyOf"));
}

TEST(SchemaNumbers, compare_as_mathematics_has_them) {
  EXPECT_TRUE(accepts(R"({"const": 1})", "1.0"));
  EXPECT_TRUE(accepts(R"({"enum": [0]})", "-0.0"));
  EXPECT_TRUE(accepts(R"({"type": "integer"})", "1e3"));
  EXPECT_FALSE(accepts(R"({"type": "integer"})", "1.5"));
  EXPECT_FALSE(accepts(R"({"const": 9007199254740993})", "9007199254740992.0"));
  EXPECT_FALSE(accepts(R"({"maximum": 9223372036854775807})", "9223372036854775808"));
  EXPECT_TRUE(accepts(R"({"exclusiveMaximum": 18446744073709551615})", "18446744073709551614"));
  EXPECT_FALSE(accepts(R"({"uniqueItems": true})", "[1, 2, 1.0]"));
}

TEST(SchemaNumbers, are_multiples_as_written_not_as_rounded) {
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.0001})", "0.0075"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.0001})", "0.00751"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.1})", "0.3"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 0.5})", "1e308"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 0.123456789})", "1e308"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 3})", "-9223372036854775806"));
  EXPECT_TRUE(accepts(R"({"multipleOf": 1e-300})", "1e300"));
  EXPECT_FALSE(accepts(R"({"multipleOf": 1e300})", "1e-300"));
}

RC_GTEST_PROP(SchemaNumbers, a_product_is_a_multiple_of_its_factors, (std::int32_t a, std::int32_t b)) {
  RC_PRE(b != 0);
  const auto product = decimal_of(json::value(static_cast<std::int64_t>(a) * b));
  const auto factor = decimal_of(json::value(static_cast<std::int64_t>(b)));
  RC_ASSERT(is_multiple(*product, *factor));
}

RC_GTEST_PROP(SchemaNumbers, whole_numbers_are_multiples_where_nothing_remains,
              (std::int64_t a, std::int64_t b)) {
  RC_PRE(b != 0 && b != -1);
  RC_ASSERT(is_multiple(*decimal_of(json::value(a)), *decimal_of(json::value(b))) == (a % b == 0));
}

RC_GTEST_PROP(SchemaNumbers, equal_doubles_and_integers_have_equal_canonical_text, (std::int32_t number)) {
  RC_ASSERT(canonical(json::value(static_cast<std::int64_t>(number))) ==
            canonical(json::value(static_cast<double>(number))));
}

TEST(SchemaEquality, ignores_the_order_of_keys) {
  EXPECT_FALSE(accepts(R"({"uniqueItems": true})", R"([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}])"));
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", R"([1, true, "1", [1], {"1": 1}, null, 0, false])"));
}

TEST(SchemaStrings, are_measured_in_characters) {
  EXPECT_TRUE(accepts(R"({"maxLength": 2})", "\"\u00fc\U0001F600\""));
  EXPECT_FALSE(accepts(R"({"minLength": 3})", "\"\u00fc\U0001F600\""));
}

TEST(SchemaPatterns, take_linear_time_and_say_so_where_they_can_not) {
  EXPECT_TRUE(accepts(R"({"pattern": "^(a+)+$"})", "\"" + std::string(5000, 'a') + "\""));
  EXPECT_FALSE(accepts(R"({"pattern": "^(a+)+$"})", "\"" + std::string(5000, 'a') + "b\""));
  EXPECT_THAT(defect_of(R"({"pattern": "(?=a)b"})"), HasSubstr("/pattern: the pattern is not RE2"));
  EXPECT_THAT(defect_of(R"({"patternProperties": {"(": {}}})"),
              HasSubstr("/patternProperties/(: the pattern is not"));
  EXPECT_THAT(defect_of(R"({"pattern": ")" + std::string(kMaxPatternLength + 1, 'a') + "\"}"),
              HasSubstr("longer than"));
}

TEST(SchemaPatterns, read_the_escapes_of_ecma_262) {
  EXPECT_TRUE(accepts(R"({"pattern": "^\\u00e9\\cA\\s[\\s]$"})", "\"\\u00e9\\u0001\\u2003\\u00a0\""));
  EXPECT_FALSE(accepts(R"({"pattern": "^\\S$"})", "\"\\u2003\""));
}

TEST(SchemaDefects, are_named_by_pointer) {
  EXPECT_EQ(defect_of("3"), "the schema: a schema is an object, true or false");
  EXPECT_THAT(defect_of(R"({"properties": {"a": {"type": "strng"}}})"),
              HasSubstr("/properties/a/type: no type \"strng\""));
  EXPECT_THAT(defect_of(R"({"type": []})"), HasSubstr("/type: must name at least one type"));
  EXPECT_THAT(defect_of(R"({"required": "a"})"), HasSubstr("/required: must be a list of strings"));
  EXPECT_THAT(defect_of(R"({"minLength": -1})"), HasSubstr("/minLength: must be a non-negative integer"));
  EXPECT_THAT(defect_of(R"({"maxItems": 1.5})"), HasSubstr("/maxItems"));
  EXPECT_THAT(defect_of(R"({"multipleOf": 0})"), HasSubstr("/multipleOf: must be a number above 0"));
  EXPECT_THAT(defect_of(R"({"maximum": "9"})"), HasSubstr("/maximum: must be a number"));
  EXPECT_THAT(defect_of(R"({"allOf": []})"), HasSubstr("/allOf: must be a list of at least one schema"));
  EXPECT_THAT(defect_of(R"({"items": [{}]})"), HasSubstr("prefixItems"));
  EXPECT_THAT(defect_of(R"({"enum": 1})"), HasSubstr("/enum: must be a list"));
  EXPECT_THAT(defect_of(R"({"uniqueItems": "yes"})"), HasSubstr("/uniqueItems"));
  EXPECT_THAT(defect_of(R"({"properties": []})"), HasSubstr("/properties: must be an object"));
  EXPECT_THAT(defect_of(R"({"dependentRequired": {"a": 1}})"), HasSubstr("/dependentRequired/a"));
  EXPECT_THAT(defect_of(R"({"$schema": "http://json-schema.org/draft-07/schema#"})"),
              HasSubstr("/$schema: only"));
  EXPECT_THAT(defect_of(R"({"$defs": {"unused": {"type": 1}}})"), HasSubstr("/$defs/unused/type"));
}

TEST(SchemaReferences, lead_nowhere_outside_the_document) {
  EXPECT_THAT(defect_of(R"({"$ref": "https://example.com/other"})"),
              HasSubstr("can't refer to other documents"));
  EXPECT_THAT(defect_of(R"({"$ref": "#/$defs/a"})"), HasSubstr("leads nowhere"));
  EXPECT_THAT(defect_of(R"({"$ref": "#anchor"})"), HasSubstr("leads nowhere"));
  EXPECT_THAT(defect_of(R"({"$ref": "#/%zz"})"), HasSubstr("must be a URI reference"));
  EXPECT_THAT(defect_of(R"({"$ref": 1})"), HasSubstr("must be a URI reference"));
  EXPECT_THAT(defect_of(R"({"$ref": "#/enum/0", "enum": [3]})"), HasSubstr("a schema is an object"));
}

TEST(SchemaReferences, may_be_recursive) {
  const std::string_view tree =
      R"({"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}})";
  EXPECT_TRUE(accepts(tree, R"({"children": [{"children": []}, {}]})"));
  EXPECT_EQ(violations_of(tree, R"({"children": [{"children": [1]}]})")[0].path, "/children/0/children/0");
}

TEST(SchemaBounds, end_a_schema_that_applies_itself_for_ever) {
  const auto violations = violations_of(R"({"$ref": "#"})", "1");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(violations[0].message, HasSubstr("levels deep"));
  // Giving up is a violation, also where the failure would have been turned round.
  EXPECT_THAT(violations_of(R"({"not": {"$ref": "#/not"}})", "1"), SizeIs(1));
}

TEST(SchemaBounds, end_a_schema_whose_cost_explodes) {
  std::string defs;
  for (int i = 0; i < 40; ++i) {
    const std::string next = "{\"$ref\": \"#/$defs/d" + std::to_string(i + 1) + "\"}";
    defs += "\"d" + std::to_string(i) + "\": {\"allOf\": [" + next + "," + next + "]},";
  }
  const auto violations =
      violations_of("{\"$ref\": \"#/$defs/d0\", \"$defs\": {" + defs + "\"d40\": {}}}", "1");
  ASSERT_THAT(violations, SizeIs(1));
  EXPECT_THAT(violations[0].message, HasSubstr("would take more than"));
}

TEST(SchemaBounds, refuse_a_schema_that_nests_too_deep) {
  json::value schema(true);
  for (std::size_t i = 0; i <= kMaxSchemaDepth; ++i) schema = json::object{{"not", schema}};
  const auto compiled = Schema::compile(schema);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, HasSubstr("levels deep"));
}

TEST(SchemaBounds, find_equal_items_among_many_quickly) {
  std::string instance = "[0";
  for (int i = 1; i < 100'000; ++i) instance += "," + std::to_string(i);
  EXPECT_TRUE(accepts(R"({"uniqueItems": true})", instance + "]"));
  EXPECT_FALSE(accepts(R"({"uniqueItems": true})", instance + ",7]"));
}

TEST(SchemaJson, refuses_what_is_not_json) {
  const auto schema = compiled("{}");
  for (const std::string_view text : {"", "{", "{} {}", "nul", "\"\xff\""}) {
    const auto result = schema.validate_json(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, "invalid_json");
  }
  EXPECT_FALSE(
      schema.validate_json(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']')));
  EXPECT_THAT(*schema.validate_json(" [1] "), IsEmpty());
}

TEST(SchemaFormat, is_an_annotation) {
  EXPECT_TRUE(accepts(R"({"format": "email"})", "\"no address\""));
}

// RFC 3986, section 5.4.
TEST(SchemaUri, resolves_as_the_rfc_has_it) {
  const std::string base = "http://a/b/c/d;p?q";
  const std::vector<std::pair<std::string, std::string>> cases = {{"g:h", "g:h"},
                                                                  {"g", "http://a/b/c/g"},
                                                                  {"./g", "http://a/b/c/g"},
                                                                  {"g/", "http://a/b/c/g/"},
                                                                  {"/g", "http://a/g"},
                                                                  {"//g", "http://g"},
                                                                  {"?y", "http://a/b/c/d;p?y"},
                                                                  {"g?y", "http://a/b/c/g?y"},
                                                                  {"", "http://a/b/c/d;p?q"},
                                                                  {".", "http://a/b/c/"},
                                                                  {"..", "http://a/b/"},
                                                                  {"../g", "http://a/b/g"},
                                                                  {"../..", "http://a/"},
                                                                  {"../../g", "http://a/g"},
                                                                  {"../../../g", "http://a/g"},
                                                                  {"g;x=1/../y", "http://a/b/c/y"}};
  for (const auto& [reference, resolved] : cases)
    EXPECT_EQ(resolve_uri(base, reference)->location, resolved) << reference;
  EXPECT_EQ(resolve_uri(base, "g#a%25b")->fragment, "a%b");
  EXPECT_FALSE(resolve_uri(base, "#%4"));
}

}  // namespace
}  // namespace ganglion::schema

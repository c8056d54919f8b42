#include "core/expr/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "core/expr/json_scan.h"
#include "core/expr/typed_json.h"

namespace ganglion::expr {
namespace {

Value json(std::string text) {
  return Value::json(Payload(std::move(text)));
}

std::string written(const Value& value) {
  auto payload = value.to_json();
  return payload ? std::string(payload->bytes()) : payload.error().code;
}

TEST(Value, json_that_nobody_looked_at_comes_back_as_the_same_payload) {
  Payload payload(" {\"a\" : 1e2, \"b\":\"\\u0041\"} \n");
  auto out = Value::json(payload).to_json();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->bytes().data(), payload.bytes().data());
}

TEST(Value, json_that_was_looked_at_is_still_written_byte_for_byte) {
  Value value = json(R"({"a" : 1.50, "b":[ "\u0041" ,{} ]})");
  ASSERT_EQ(value.size(), 2U);
  EXPECT_EQ(value.find("a")->as_real(), 1.5);
  EXPECT_EQ(value.find("b")->at(0).as_string(), "A");
  EXPECT_EQ(written(value), R"({"a" : 1.50, "b":[ "\u0041" ,{} ]})");
  EXPECT_EQ(written(*value.find("b")), R"([ "\u0041" ,{} ])");
  EXPECT_EQ(written(*value.find("a")), "1.50");
}

TEST(Value, json_integers_that_fit_are_ints_and_other_numbers_doubles) {
  EXPECT_EQ(json("9223372036854775807").as_integer(), 9223372036854775807);
  EXPECT_EQ(json("-9223372036854775808").kind(), Kind::integer);
  EXPECT_EQ(json("9223372036854775808").kind(), Kind::real);
  EXPECT_EQ(json("1.0").kind(), Kind::real);
  EXPECT_EQ(json("1e0").kind(), Kind::real);
  EXPECT_EQ(json("-0").as_integer(), 0);
  EXPECT_TRUE(std::isinf(json("1e999").as_real()));
  EXPECT_EQ(json("1e-999").as_real(), 0.0);
}

TEST(Value, numbers_out_of_range_keep_their_direction) {
  EXPECT_EQ(read_double("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_EQ(read_double("0." + std::string(400, '0') + "1e402"), 10.0);
  EXPECT_EQ(read_double(std::string(400, '9')), INFINITY);
  EXPECT_EQ(read_double("-" + std::string(400, '9') + "e5"), -INFINITY);
  EXPECT_EQ(read_double("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(read_double("1e+99999999999999999999"), INFINITY);
}

TEST(Value, of_equal_keys_in_a_json_object_the_last_counts) {
  Value value = json(R"({"a": 1, "b": 2, "a": 3})");
  EXPECT_EQ(value.size(), 2U);
  EXPECT_EQ(value.find("a")->as_integer(), 3);
}

TEST(Value, a_large_object_finds_each_of_its_keys) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i)
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
  Value value = json(text + "}");
  for (int i = 0; i < 1000; ++i) {
    const Value* found = value.find("k" + std::to_string(i));
    ASSERT_NE(found, nullptr) << i;
    EXPECT_EQ(found->as_integer(), i);
  }
  EXPECT_EQ(value.find("k1000"), nullptr);
}

TEST(Value, strings_decode_every_json_escape) {
  EXPECT_EQ(json(R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")").as_string(), "\"\\/\b\f\n\r\t\u00e9\U0001F600");
  EXPECT_EQ(json(R"("a\ud800b")").as_string(), "a\uFFFDb");
}

TEST(Value, malformed_json_reads_as_something_empty) {
  EXPECT_EQ(json("{\"a\": [1, }").size(), 0U);
  EXPECT_EQ(json("[1 2]").kind(), Kind::list);
  EXPECT_EQ(json("\"\\x\"").as_string(), "");
  EXPECT_TRUE(json("nonsense").is_null());
  EXPECT_TRUE(json("nan").is_null());
  EXPECT_TRUE(json("-inf").is_null());
  EXPECT_TRUE(json("").is_null());
  EXPECT_EQ(written(json("")), "null");
}

TEST(Value, threads_that_look_at_once_see_the_same_value) {
  Value value = json(R"({"a": {"b": [1, 2, 3]}})");
  std::size_t sizes[2] = {};
  std::thread other([&] { sizes[0] = value.find("a")->find("b")->size(); });
  sizes[1] = value.find("a")->find("b")->size();
  other.join();
  EXPECT_EQ(sizes[0], 3U);
  EXPECT_EQ(sizes[1], 3U);
}

TEST(Value, map_keys_of_different_numeric_types_are_one_key) {
  auto map = Value::map(
      {{Value::integer(1), Value::string("one")}, {Value::unsigned_integer(2), Value::string("two")}});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->find(Value::real(1.0))->as_string(), "one");
  EXPECT_EQ(map->find(Value::integer(2))->as_string(), "two");
  EXPECT_EQ(map->find(Value::real(1.5)), nullptr);
  EXPECT_EQ(map->find(Value::real(NAN)), nullptr);
  EXPECT_EQ(map->find(Value::list({})), nullptr);
}

TEST(Value, a_map_refuses_equal_keys_and_keys_of_other_types) {
  auto twice = Value::map({{Value::integer(1), Value()}, {Value::unsigned_integer(1), Value()}});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, "duplicate_key");
  auto fraction = Value::map({{Value::real(1.0), Value()}});
  ASSERT_FALSE(fraction);
  EXPECT_EQ(fraction.error().code, "no_such_overload");
}

TEST(Value, every_kind_has_its_json_form) {
  EXPECT_EQ(written(Value()), "null");
  EXPECT_EQ(written(Value::boolean(true)), "true");
  EXPECT_EQ(written(Value::unsigned_integer(18446744073709551615U)), "18446744073709551615");
  EXPECT_EQ(written(Value::real(1)), "1.0");
  EXPECT_EQ(written(Value::real(-0.0)), "-0.0");
  EXPECT_EQ(written(Value::real(1e300)), "1e+300");
  EXPECT_EQ(written(Value::string("a\"\n\x01")), "\"a\\\"\\n\\u0001\"");
  EXPECT_EQ(written(Value::bytes(std::string("\0\xff", 2))), "\"AP8=\"");
  EXPECT_EQ(written(Value::timestamp({1234567890, 500'000'000})), "\"2009-02-13T23:31:30.500Z\"");
  EXPECT_EQ(written(Value::duration(std::chrono::milliseconds(-1500))), "\"-1.5s\"");
  auto map = Value::map(
      {{Value::integer(-1), Value::list({})}, {Value::boolean(true), Value::object({{"k", Value()}})}});
  EXPECT_EQ(written(*map), R"({"-1":[],"true":{"k":null}})");
}

TEST(Value, what_has_no_json_form_is_refused) {
  EXPECT_EQ(written(Value::real(NAN)), "not_json");
  EXPECT_EQ(written(Value::list({Value::real(INFINITY)})), "not_json");
  EXPECT_EQ(written(Value::type(Kind::list)), "not_json");
}

TEST(Value, json_is_bounded_in_size_and_depth) {
  Value value = Value::list({Value::string(std::string(100, 'x'))});
  EXPECT_TRUE(value.to_json(104));
  auto large = value.to_json(103);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "too_large");
  Value deep;
  for (int i = 0; i <= kMaxValueDepth + 1; ++i) deep = Value::list({deep});
  EXPECT_EQ(written(deep), "too_deep");
}

TEST(Value, typed_json_says_the_type_and_reads_back) {
  auto map = Value::map({{Value::string("a"), Value::unsigned_integer(1)}});
  Value all =
      Value::list({Value(), Value::boolean(false), Value::integer(-1), Value::real(1), Value::real(-INFINITY),
                   Value::real(NAN), Value::bytes("\xff"), *map, Value::type(Kind::null),
                   Value::timestamp({0, 1000}), Value::duration(std::chrono::seconds(90))});
  std::string text = typed_json(all);
  EXPECT_EQ(text,
            R"({"list": [{"null": null}, {"bool": false}, {"int": -1}, {"double": 1.0}, {"double": "-inf"}, )"
            R"({"double": "nan"}, {"bytes": "/w=="}, {"map": [[{"string": "a"}, {"uint": 1}]]}, )"
            R"({"type": "null_type"}, {"timestamp": "1970-01-01T00:00:00.000001Z"}, {"duration": "90s"}]})");
  auto read = value_of_typed_json(json(text));
  ASSERT_TRUE(read);
  EXPECT_TRUE(identical(all, *read));
}

TEST(JsonScan, accepts_what_the_grammar_accepts_and_nothing_else) {
  for (std::string_view good :
       {"0", "-0.5e+1", "\"\"", "[]", "{}", " [1, {\"a\": [null]}, true] ", "\"\\u00ff\""}) {
    EXPECT_TRUE(is_json(good)) << good;
  }
  for (std::string_view bad :
       {"",       "01",      "1.",        ".5",      "+1",     "-",           "1e",
        "nul",    "[1,]",    "[,]",       "{\"a\"}", "{a: 1}", "{\"a\": 1,}", "[1] 2",
        "\"\n\"", "\"\\x\"", "\"\\u12\"", "\"",      "[",      "{\"a\":",     "\"\xff\""}) {
    EXPECT_FALSE(is_json(bad)) << bad;
  }
}

TEST(JsonScan, refuses_what_is_nested_too_deeply_without_recursion) {
  EXPECT_TRUE(is_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')));
  EXPECT_FALSE(is_json(std::string(kMaxJsonDepth + 1, '[') + std::string(kMaxJsonDepth + 1, ']')));
  EXPECT_FALSE(is_json(std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace ganglion::expr

#include "ingress/http/json_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ganglion::http {
namespace {

std::string code_of(std::string_view text) {
  const auto result = check_json(text);
  return result ? "" : result.error().code;
}

TEST(JsonCheck, accepts_what_rfc_8259_accepts) {
  for (const char* text : {"null", " true ", "false", "0", "-0", "1.5e+3", "-12E-2", "\"\"", "[]", "{}",
                           "[1,[2,[3]]]", "{\"a\":{\"a\":1}}", "\"\\u00e9\\ud83d\\ude00\\n\\/\"",
                           "\"\xc3\xa9\xf0\x9f\x98\x80\"", "\r\n\t[ 1 , 2 ]", "1e999", "\"\\u0000\""}) {
    EXPECT_EQ(code_of(text), "") << text;
  }
}

TEST(JsonCheck, refuses_everything_else) {
  for (const std::string& text : std::vector<std::string>{"",
                                                          " ",
                                                          "nul",
                                                          "True",
                                                          "01",
                                                          "-",
                                                          "1.",
                                                          ".5",
                                                          "1e",
                                                          "+1",
                                                          "0x1",
                                                          "NaN",
                                                          "Infinity",
                                                          "'a'",
                                                          "\"a",
                                                          "\"\\x\"",
                                                          "\"\\u12\"",
                                                          "\"\\ud800\"",
                                                          "\"\\ud800\\u0041\"",
                                                          "\"\\udc00\"",
                                                          "\"\n\"",
                                                          "\"\x7f\xff\"",
                                                          "\"\xc0\xaf\"",
                                                          "\"\xed\xa0\x80\"",
                                                          "\"\xf4\x90\x80\x80\"",
                                                          "[1,]",
                                                          "[,1]",
                                                          "[1 2]",
                                                          "{\"a\"}",
                                                          "{\"a\":}",
                                                          "{a:1}",
                                                          "{\"a\":1,}",
                                                          "{1:2}",
                                                          "[",
                                                          "{",
                                                          "]",
                                                          "[}",
                                                          "1 2",
                                                          "null x",
                                                          "// c\n1",
                                                          "\xef\xbb\xbf{}",
                                                          std::string("\"a\0b\"", 5),
                                                          std::string("1\0", 2),
                                                          std::string("\"\\", 2),
                                                          std::string("\"\\\0\"", 4)}) {
    EXPECT_EQ(code_of(text), "malformed_json") << text;
  }
}

TEST(JsonCheck, refuses_a_name_twice_in_one_object_however_it_is_written) {
  EXPECT_EQ(code_of(R"({"a":1,"b":2,"a":3})"), "duplicate_key");
  EXPECT_EQ(code_of(R"({"a":1,"\u0061":3})"), "duplicate_key");
  EXPECT_EQ(code_of(R"([{"a":1},{"a":1},{"b":{"a":1}}])"), "");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(code_of(many + "\"k100\":0}"), "");
  EXPECT_EQ(code_of(many + "\"k3\":0}"), "duplicate_key");
  EXPECT_EQ(code_of(many + "\"k99\":0}"), "duplicate_key");
}

TEST(JsonCheck, bounds_the_depth_exactly) {
  EXPECT_EQ(code_of(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_EQ(code_of(std::string(65, '[') + std::string(65, ']')), "json_too_deep");
  EXPECT_EQ(code_of(std::string(1 << 20, '[')), "json_too_deep");
}

TEST(JsonCheck, bounds_the_number_of_values) {
  EXPECT_TRUE(check_json("[1,2,3]", {.values = 4}));
  EXPECT_FALSE(check_json("[1,2,3]", {.values = 3}));
}

TEST(JsonCheck, says_at_which_byte_it_breaks) {
  EXPECT_EQ(check_json("[1,x]").error().message, "expected a value (at byte 3)");
}

}  // namespace
}  // namespace ganglion::http

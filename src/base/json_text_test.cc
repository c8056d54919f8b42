#include "base/json_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ganglion {
namespace {

TEST(JsonText, WritesMembersInOrderAndCopiesRawValues) {
  const std::string text =
      JsonObject().add("a", "x\"\n\x01").add("n", std::int64_t{-3}).add_raw("p", "1.0").finish();
  EXPECT_EQ(text, R"({"a":"x\"\n\u0001","n":-3,"p":1.0})");
  EXPECT_EQ(JsonObject().finish(), "{}");
}

TEST(JsonText, ReadsMembersWithoutLookingInside) {
  JsonMembers members(R"( { "a" : "},\"" , "b":{"x":[1,{"y":"]"}]}, "c": 1.50 } )");
  auto a = members.next();
  ASSERT_TRUE(a);
  EXPECT_EQ(a->name, "a");
  EXPECT_EQ(a->value, R"("},\"")");
  EXPECT_EQ(members.next()->value, R"({"x":[1,{"y":"]"}]})");
  EXPECT_EQ(members.next()->value, "1.50");
  EXPECT_FALSE(members.next());
  EXPECT_TRUE(members.intact());
}

TEST(JsonText, NoticesWhatIsNoObject) {
  for (const char* text :
       {"", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1 \"b\":2}", "{\"a\":\"x}", "{\"a\":[1}"}) {
    JsonMembers members(text);
    while (members.next()) {
    }
    EXPECT_FALSE(members.intact()) << text;
  }
}

TEST(JsonText, ReadsEscapesAndSurrogatePairs) {
  EXPECT_EQ(read_json_string(R"("\u00e4\ud83d\ude00\/\t")"), "ä😀/\t");
  EXPECT_FALSE(read_json_string(R"("\ud83d")"));
  EXPECT_FALSE(read_json_string(R"("\x")"));
  EXPECT_FALSE(read_json_string("\"a\"b\""));
}

RC_GTEST_PROP(JsonText, AStringComesBackAsItWent, (const std::string& text)) {
  std::string json;
  append_json_string(json, text);
  RC_ASSERT(read_json_string(json).value() == text);
}

}  // namespace
}  // namespace ganglion

#include "base/plain_text.h"

#include <gtest/gtest.h>

#include <string>

namespace ganglion {
namespace {

TEST(PlainText, EndsAtEveryByteThatNeedsAttentionWhereverItStands) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool special = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(byte);
      EXPECT_EQ(end_of_plain(text, 0), special ? place : text.size()) << byte << " at " << place;
    }
  }
}

TEST(PlainText, OfTwoTheFirstCounts) {
  for (const char first : {'"', '\\', '\n', '\x80', '\x1f', '\xff'}) {
    for (const char second : {'"', '\\', '\n', '\x80', '\x1f', '\xff'}) {
      std::string text(16, ' ');
      text[3] = first;
      text[4] = second;
      EXPECT_EQ(end_of_plain(text, 0), 3u);
      EXPECT_EQ(end_of_plain(text, 4), 4u);
    }
  }
}

TEST(PlainText, BeginsWhereItIsTold) {
  const std::string text = R"(ab"cdefghijklmnopqrstuvwxyz"!)";
  EXPECT_EQ(end_of_plain(text, 0), 2u);
  EXPECT_EQ(end_of_plain(text, 3), text.size() - 2);
  EXPECT_EQ(end_of_plain(text, text.size()), text.size());
  EXPECT_EQ(end_of_plain("", 0), 0u);
}

TEST(PlainText, AStringEndsBehindItsQuote) {
  EXPECT_EQ(end_of_string(R"("abc")", 0), 5u);
  EXPECT_EQ(end_of_string(R"(x"a"y)", 1), 4u);
  EXPECT_EQ(end_of_string(R"("a\"b" )", 0), 6u);
  EXPECT_EQ(end_of_string("\"\x01\xc3\xa4\"", 0), 5u);
  for (const char* open : {R"(")", R"("abcdefghijkl)", R"("a\")", R"("a\)", R"("\)"}) {
    EXPECT_EQ(end_of_string(open, 0), std::string_view::npos) << open;
  }
}

}  // namespace
}  // namespace ganglion

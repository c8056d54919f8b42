#include "cli/terminal_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

namespace ganglion::cli {
namespace {

TEST(TerminalText, keeps_ordinary_text_as_it_is) {
  EXPECT_EQ(printable("naïve 日本 ✓"), "naïve 日本 ✓");
}

TEST(TerminalText, shows_control_characters_instead_of_obeying_them) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable("one\ntwo\tthree\r"), "one\\ntwo\\tthree\\r");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m")
      << "C1 controls, which some terminals obey";
  EXPECT_EQ(printable("abc\u202Ecba"), "abc\\u{202e}cba") << "a reversed reading order";
}

TEST(TerminalText, shows_bytes_that_are_not_utf8) {
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b") << "an overlong form could hide a control character";
}

TEST(TerminalText, measures_in_columns) {
  EXPECT_EQ(columns_of("abc"), 3u);
  EXPECT_EQ(columns_of("日本"), 4u);
  EXPECT_EQ(columns_of("e\u0301"), 1u);
}

TEST(TerminalText, cuts_to_a_width_and_says_so) {
  EXPECT_EQ(fit("abcdef", 6), "abcdef");
  EXPECT_EQ(fit("abcdefg", 6), "abcde…");
  EXPECT_EQ(fit("日本語", 4), "日…") << "half of a wide character doesn't fit";
  EXPECT_EQ(fit("abc", 0), "");
}

TEST(TerminalText, pads_by_columns_not_by_bytes) {
  EXPECT_EQ(padded("日", 4), "日  ");
  EXPECT_EQ(padded_left("日", 4), "  日");
  EXPECT_EQ(padded("abcdef", 4), "abcdef");
}

TEST(TerminalText, any_bytes_become_one_safe_line) {
  rc::check("no byte below 0x20, no DEL, and cutting never exceeds its width", [](const std::string& bytes) {
    const std::string safe = printable(bytes);
    RC_ASSERT(std::ranges::none_of(safe, [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    RC_ASSERT(printable(safe) == safe);
    const auto columns = *rc::gen::inRange<std::size_t>(0, 20);
    RC_ASSERT(columns_of(fit(safe, columns)) <= columns);
  });
}

}  // namespace
}  // namespace ganglion::cli

#include "project/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

namespace ganglion::project {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

YamlNode tree(std::string_view source) {
  YamlDocument document = parse_yaml(source);
  EXPECT_THAT(document.problems, IsEmpty()) << document.problems[0].message;
  return document.root.value_or(YamlNode{});
}

YamlProblem only_problem(std::string_view source) {
  const YamlDocument document = parse_yaml(source);
  EXPECT_THAT(document.problems, SizeIs(1)) << source;
  return document.problems.empty() ? YamlProblem{} : document.problems.front();
}

YamlKind kind_of(const std::string& scalar) {
  return tree("a: " + scalar).entries[0].value.kind;
}

TEST(YamlTree, knows_where_every_key_and_value_stands) {
  const YamlNode root = tree("a: 1\nb:\n  - x\n  - {c: \"y\"}\n");
  EXPECT_EQ(root.entries[1].position, (Position{2, 1}));
  const YamlNode& list = root.find("b")->value;
  EXPECT_EQ(list.items[0].position, (Position{3, 5}));
  EXPECT_EQ(list.items[1].entries[0].position, (Position{4, 6}));
  EXPECT_EQ(list.items[1].entries[0].value.position, (Position{4, 9}));
  EXPECT_EQ(root.find("z"), nullptr);
}

TEST(YamlTree, counts_columns_in_characters) {
  EXPECT_EQ(tree("{\"\u00fc\u00e4\U0001F600\": x}").entries[0].value.position, (Position{1, 9}));
}

TEST(YamlScalars, have_the_kinds_of_the_core_schema) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(kind_of(text), YamlKind::null) << text;
  for (const char* text : {"true", "False", "TRUE"}) EXPECT_EQ(kind_of(text), YamlKind::boolean) << text;
  for (const char* text : {"0", "-7", "+7", "007", "0x1F", "0o17"})
    EXPECT_EQ(kind_of(text), YamlKind::integer) << text;
  for (const char* text : {"1.5", ".5", "1.", "-1e3", "1E-2", ".inf", "-.INF", ".nan"}) {
    EXPECT_EQ(kind_of(text), YamlKind::number) << text;
  }
  for (const char* text : {"yes", "no", "on", "off", "y", "1_000", "0b1", "1:30", "1e", ".", "\"1\"",
                           "'true'", "2026-01-01", "nul", "!!str 1", "+-1", "1.5.2"}) {
    EXPECT_EQ(kind_of(text), YamlKind::text) << text;
  }
}

TEST(YamlScalars, have_values) {
  const YamlNode root = tree("[0x1F, 0o17, +7, -007, 99999999999999999999, 1.5, -.inf, True, -2]");
  EXPECT_EQ(integer_of(root.items[0]), 31);
  EXPECT_EQ(integer_of(root.items[1]), 15);
  EXPECT_EQ(integer_of(root.items[2]), 7);
  EXPECT_EQ(integer_of(root.items[3]), -7);
  EXPECT_EQ(integer_of(root.items[4]), std::nullopt);
  EXPECT_EQ(number_of(root.items[4]), 1e20);
  EXPECT_EQ(number_of(root.items[5]), 1.5);
  EXPECT_TRUE(std::isinf(number_of(root.items[6])));
  EXPECT_TRUE(boolean_of(root.items[7]));
  EXPECT_EQ(number_of(root.items[8]), -2);
}

TEST(YamlAliases, stand_for_what_they_name) {
  const YamlNode root = tree("a: &x {k: [1]}\nb: *x\n");
  EXPECT_EQ(root.find("b")->value.entries[0].value.items[0].text, "1");
}

TEST(YamlAliases, that_would_unfold_into_a_bomb_are_an_error) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 9; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(only_problem(bomb).message, HasSubstr("values, aliases expanded"));
}

TEST(YamlAliases, of_long_texts_are_bounded_in_bytes) {
  std::string bomb = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 100; ++i) bomb += "*a, ";
  EXPECT_THAT(only_problem(bomb + "]").message, HasSubstr("bytes of text"));
}

TEST(YamlAliases, are_bounded_in_number) {
  std::string source = "a: &a x\nb: [";
  for (std::size_t i = 0; i <= kMaxYamlAliases; ++i) source += "*a, ";
  EXPECT_THAT(only_problem(source + "]").message, HasSubstr("aliases"));
}

TEST(YamlAliases, can_not_contain_themselves_or_name_nothing) {
  EXPECT_THAT(only_problem("a: &a [*a]").message, HasSubstr("no anchor &a before this alias"));
  EXPECT_THAT(only_problem("a: *b").message, HasSubstr("no anchor &b"));
}

TEST(YamlBounds, stop_deep_nesting_also_by_aliases) {
  EXPECT_THAT(only_problem(std::string(kMaxYamlDepth + 1, '[')).message, HasSubstr("levels deep"));
  EXPECT_THAT(only_problem(std::string(100'000, '[')).message, HasSubstr("levels deep"));
  const std::string half = std::string(40, '[') + std::string(40, ']');
  EXPECT_THAT(only_problem("a: &a " + half + "\nb: " + std::string(40, '[') + "*a").message,
              HasSubstr("levels deep"));
}

TEST(YamlBounds, stop_many_values) {
  std::string source = "[";
  for (std::size_t i = 0; i <= kMaxYamlNodes; ++i) source += "1,";
  EXPECT_THAT(only_problem(source + "]").message, HasSubstr("more than 200000 values"));
}

TEST(YamlProblems, name_duplicate_keys_and_go_on) {
  const YamlDocument document = parse_yaml("a: 1\nb: {c: 1, c: 2}\na: 2\n");
  ASSERT_THAT(document.problems, SizeIs(2));
  EXPECT_EQ(document.problems[0].message, "duplicate key \"c\"; it was on line 2 before");
  EXPECT_EQ(document.problems[1].position, (Position{3, 1}));
  EXPECT_TRUE(document.root);
}

TEST(YamlProblems, name_what_is_not_supported) {
  EXPECT_THAT(only_problem("a: 1\n---\nb: 2\n").message, HasSubstr("a second document"));
  EXPECT_THAT(only_problem("a: !custom 1").message, HasSubstr("the tag !custom"));
  EXPECT_THAT(only_problem("a: !!int '1'").message, HasSubstr("the tag tag:yaml.org,2002:int"));
  EXPECT_THAT(only_problem("a: !x [1]").message, HasSubstr("the tag !x"));
  EXPECT_THAT(only_problem("a: !x {b: 1}").message, HasSubstr("the tag !x"));
  EXPECT_THAT(only_problem("? [a]\n: 1").message, HasSubstr("a key must be text"));
  EXPECT_THAT(only_problem("~: 1").message, HasSubstr("a key is empty"));
}

TEST(YamlProblems, of_syntax_have_a_place) {
  const YamlProblem problem = only_problem("a: 1\nb: [1, 2\nc: 3\n");
  EXPECT_EQ(problem.position.line, 3);
  EXPECT_THAT(problem.message, HasSubstr("on line 2"));
  EXPECT_EQ(only_problem("a: 1\nb: \xff\n").position, (Position{2, 4}));
  EXPECT_THAT(only_problem("a: \x01").message, HasSubstr("control character"));
  EXPECT_EQ(only_problem("\ta: 1").position.line, 1);
}

TEST(YamlProblems, have_no_root_where_the_file_is_empty) {
  EXPECT_FALSE(parse_yaml("").root);
  EXPECT_FALSE(parse_yaml("# only a comment\n").root);
  EXPECT_THAT(parse_yaml("").problems, IsEmpty());
}

// Where the letter X stands in the scalar's text must be where it stands in the file.
void expect_found(const std::string& source) {
  const YamlNode root = tree(source);
  const YamlNode& scalar = root.entries[0].value;
  const Position found = position_in(scalar, scalar.text.find('X'), SourceIndex(source));
  const std::size_t at = source.find('X');
  const std::size_t line_start = source.rfind('\n', at) + 1;
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  const std::string before = source.substr(line_start, at - line_start);
  const auto column =
      static_cast<int>(before.size() - static_cast<std::size_t>(std::ranges::count_if(before, continues))) +
      1;
  EXPECT_EQ(found.column, column) << source;
}

TEST(YamlPositions, inside_a_scalar_are_exact_on_one_line) {
  expect_found("a: some X");
  expect_found("a: 'it''s X'");
  expect_found("a: \"" + std::string(5000, '.') + "\u00fcX\"");
  expect_found("{" + std::string(3000, ' ') + "a: 'X'}");
  expect_found(R"(a: "tab \t quote \" X")");
  expect_found(R"(a: "\u00e9\x41\U0001F600\N\L X")");
  expect_found("a: \"\u00fc\U0001F600 X\"");
  expect_found("a: &anchor 'X'");
  const std::string marked = "\xEF\xBB\xBF{a: 'u X'}";
  EXPECT_EQ(position_in(tree(marked).entries[0].value, 2, SourceIndex(marked)), (Position{1, 8}));
  EXPECT_EQ(position_in(tree("a: |\n  text X\n").entries[0].value, 5, SourceIndex("a: |\n  text X\n")),
            (Position{1, 4}));
}

RC_GTEST_PROP(YamlPositions, are_exact_whatever_stands_before, (const std::string& before)) {
  // Any text, written with the escapes of a double-quoted scalar.
  std::string written;
  for (const char c : before) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      constexpr std::string_view kHex = "0123456789abcdef";
      written.append("\\x").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    } else {
      if (c == '"' || c == '\\') written += '\\';
      written += c;
    }
  }
  const std::string source = "a: \"" + written + "@@\"";
  const YamlDocument document = parse_yaml(source);
  RC_ASSERT(document.root.has_value());
  const YamlNode& scalar = document.root->entries[0].value;
  const Position found = position_in(scalar, scalar.text.size() - 2, SourceIndex(source));
  RC_ASSERT(found.column == static_cast<int>(source.size()) - 2);
}

}  // namespace
}  // namespace ganglion::project

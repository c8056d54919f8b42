#include "core/topic.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <vector>

namespace ganglion {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ".") + word;
  return out;
}

TEST(Topics, are_words_joined_by_dots) {
  for (const char* topic : {"a", "file.uploaded", "A-1._x.0", "-", "a.b.c.d.e"}) {
    EXPECT_TRUE(is_topic(topic)) << topic;
    EXPECT_TRUE(is_topic_pattern(topic)) << topic;
  }
  for (const char* text :
       {"", ".", "a.", ".a", "a..b", "a b", "a/b", "ä", "a\n", "a.**.b", "**.a", "a*", "***"}) {
    EXPECT_FALSE(is_topic(text)) << text;
    EXPECT_FALSE(is_topic_pattern(text)) << text;
  }
  EXPECT_FALSE(is_topic(std::string_view("a\0b", 3)));
}

TEST(Topics, are_no_patterns) {
  for (const char* pattern : {"*", "**", "file.*", "*.uploaded", "a.*.c", "a.*.**"}) {
    EXPECT_FALSE(is_topic(pattern)) << pattern;
    EXPECT_TRUE(is_topic_pattern(pattern)) << pattern;
  }
}

TEST(TopicPatterns, of_words_match_themselves_only) {
  EXPECT_TRUE(topic_matches("file.uploaded", "file.uploaded"));
  EXPECT_FALSE(topic_matches("file.uploaded", "file"));
  EXPECT_FALSE(topic_matches("file", "file.uploaded"));
  EXPECT_FALSE(topic_matches("file.uploaded", "file.Uploaded"));
  EXPECT_FALSE(topic_matches("file.up", "file.uploaded"));
}

TEST(TopicPatterns, with_a_star_match_one_word) {
  EXPECT_TRUE(topic_matches("file.*", "file.uploaded"));
  EXPECT_FALSE(topic_matches("file.*", "file"));
  EXPECT_FALSE(topic_matches("file.*", "file.uploaded.twice"));
  EXPECT_TRUE(topic_matches("*.uploaded", "file.uploaded"));
  EXPECT_FALSE(topic_matches("*.uploaded", "uploaded"));
  EXPECT_TRUE(topic_matches("a.*.c", "a.b.c"));
  EXPECT_FALSE(topic_matches("a.*.c", "a.b.d"));
}

TEST(TopicPatterns, with_two_stars_match_one_or_more_words) {
  EXPECT_TRUE(topic_matches("**", "a"));
  EXPECT_TRUE(topic_matches("**", "a.b.c"));
  EXPECT_TRUE(topic_matches("a.**", "a.b"));
  EXPECT_TRUE(topic_matches("a.**", "a.b.c"));
  EXPECT_FALSE(topic_matches("a.**", "a"));
  EXPECT_FALSE(topic_matches("a.**", "b.c"));
  EXPECT_TRUE(topic_matches("a.*.**", "a.b.c"));
  EXPECT_FALSE(topic_matches("a.*.**", "a.b"));
}

TEST(TopicPatterns, of_a_list_match_if_one_does) {
  const std::vector<std::string> patterns = {"a.*", "b"};
  EXPECT_TRUE(any_matches(patterns, "b"));
  EXPECT_TRUE(any_matches(patterns, "a.x"));
  EXPECT_FALSE(any_matches(patterns, "b.x"));
  EXPECT_FALSE(any_matches(std::vector<std::string>(), "a"));
}

// A second definition, over lists of words.
bool matches_words(const std::vector<std::string>& pattern, const std::vector<std::string>& topic) {
  const bool open = pattern.back() == "**";
  const std::size_t fixed = pattern.size() - (open ? 1 : 0);
  if (open ? topic.size() <= fixed : topic.size() != fixed) return false;
  for (std::size_t i = 0; i < fixed; ++i) {
    if (pattern[i] != "*" && pattern[i] != topic[i]) return false;
  }
  return true;
}

TEST(TopicPatterns, mean_what_they_mean_word_by_word) {
  const bool held = rc::check([] {
    const auto word = rc::gen::element<std::string>("a", "b", "c-1");
    const auto topic = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(word));
    auto pattern = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("a", "b", "c-1", "*")));
    if (*rc::gen::arbitrary<bool>()) pattern.emplace_back("**");
    RC_ASSERT(is_topic(joined(topic)));
    RC_ASSERT(is_topic_pattern(joined(pattern)));
    RC_ASSERT(topic_matches(joined(pattern), joined(topic)) == matches_words(pattern, topic));
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace ganglion

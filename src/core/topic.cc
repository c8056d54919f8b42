#include "core/topic.h"

#include <algorithm>

namespace ganglion {
namespace {

bool is_word(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// Takes the first word off.
std::string_view take_word(std::string_view& text) {
  const std::size_t dot = text.find('.');
  const std::string_view word = text.substr(0, dot);
  text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  return word;
}

// "a." has an empty last word, which `take_word` would not show.
bool ends_well(std::string_view text) {
  return !text.empty() && text.back() != '.';
}

}  // namespace

bool is_topic(std::string_view text) {
  if (!ends_well(text)) return false;
  while (!text.empty()) {
    if (!is_word(take_word(text))) return false;
  }
  return true;
}

bool is_topic_pattern(std::string_view text) {
  if (!ends_well(text)) return false;
  while (!text.empty()) {
    const std::string_view word = take_word(text);
    const bool wild = word == "*" || (word == "**" && text.empty());
    if (!wild && !is_word(word)) return false;
  }
  return true;
}

bool topic_matches(std::string_view pattern, std::string_view topic) {
  while (!pattern.empty() && !topic.empty()) {
    const std::string_view wanted = take_word(pattern);
    if (wanted == "**") return true;
    const std::string_view word = take_word(topic);
    if (wanted != "*" && wanted != word) return false;
  }
  return pattern.empty() && topic.empty();
}

}  // namespace ganglion

#pragma once

// Names of topics and of state keys: words of letters, digits, '_' and '-', joined by '.'; and patterns over
// them, in which `*` stands for one word and `**`, as the last word, for one or more.

#include <string_view>

namespace ganglion {

bool is_topic(std::string_view text);
bool is_topic_pattern(std::string_view text);

// `pattern` and `topic` are well-formed.
bool topic_matches(std::string_view pattern, std::string_view topic);

template <typename Patterns>
bool any_matches(const Patterns& patterns, std::string_view topic) {
  for (const auto& pattern : patterns) {
    if (topic_matches(pattern, topic)) return true;
  }
  return false;
}

}  // namespace ganglion

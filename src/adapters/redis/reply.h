#pragma once

// The protocol's values (RESP, https://redis.io/docs/reference/protocol-spec): a command as it is sent, an
// answer as it was received.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::redis {

struct Reply {
  enum class Kind { nil, text, integer, array, error };

  Kind kind = Kind::nil;
  std::string text = {};  // of an error, too
  std::int64_t integer = 0;
  std::vector<Reply> elements = {};

  bool is_error() const { return kind == Kind::error; }
  // Whether it is an error with this code, which is its first word.
  bool is_error(std::string_view code) const {
    return is_error() && text.starts_with(code) && (text.size() == code.size() || text[code.size()] == ' ');
  }
};

// One word of a command.
inline void append_word(std::string& bytes, std::string_view word) {
  bytes += '$';
  bytes += std::to_string(word.size());
  bytes += "\r\n";
  bytes += word;
  bytes += "\r\n";
}

inline void append_word_count(std::string& bytes, std::size_t words) {
  bytes += '*';
  bytes += std::to_string(words);
  bytes += "\r\n";
}

inline std::string command(std::initializer_list<std::string_view> words) {
  std::string bytes;
  append_word_count(bytes, words.size());
  for (const std::string_view word : words) append_word(bytes, word);
  return bytes;
}

}  // namespace ganglion::redis

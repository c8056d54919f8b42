#include "adapters/postgres/text_value.h"

namespace ganglion::postgres {
namespace {

constexpr char kEscape = '\x01';

}  // namespace

std::string to_text_value(std::string_view text) {
  constexpr std::string_view kEscaped("\x00\x01", 2);
  if (text.find_first_of(kEscaped) == std::string_view::npos) return std::string(text);
  std::string value;
  for (const char c : text) {
    if (kEscaped.contains(c)) {
      value += kEscape;
      value += c == '\0' ? '0' : '1';
    } else {
      value += c;
    }
  }
  return value;
}

std::string from_text_value(std::string_view value) {
  if (!value.contains(kEscape)) return std::string(value);
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == kEscape && i + 1 < value.size())
      text += value[++i] == '0' ? '\0' : kEscape;
    else
      text += value[i];
  }
  return text;
}

std::string one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    if (c == '\n' || c == '\t') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c;
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace ganglion::postgres

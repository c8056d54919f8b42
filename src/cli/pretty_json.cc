#include "cli/pretty_json.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>

namespace ganglion::cli {
namespace {

void new_line(std::string& out, std::size_t depth) {
  out += "\n" + std::string(2 * depth, ' ');
}

// DEL and C1 controls (U+0080 … U+009F), which terminals may obey.
std::string with_escapes(std::string_view text) {
  std::string out;
  const auto escape = [&](unsigned code) {
    std::array<char, 7> hex{};
    std::snprintf(hex.data(), hex.size(), "\\u%04x", code);
    out += hex.data();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0x7F) {
      escape(byte);
    } else if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
      escape(next);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string pretty_json(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false, just_opened = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out += c;
      if (c == '\\' && i + 1 < json.size()) out += json[++i];
      in_string = c != '"';
      continue;
    }
    if (std::string_view(" \t\r\n").contains(c)) continue;
    const bool closes = c == '}' || c == ']';
    if (closes) depth -= std::min<std::size_t>(depth, 1);
    if ((just_opened && !closes) || (closes && !just_opened)) new_line(out, depth);
    just_opened = c == '{' || c == '[';
    if (just_opened) ++depth;
    out += c;
    if (c == ',') new_line(out, depth);
    if (c == ':') out += ' ';
    in_string = c == '"';
  }
  return with_escapes(out);
}

}  // namespace ganglion::cli

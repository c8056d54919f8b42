#include "cli/styled_line.h"

#include <algorithm>
#include <string_view>

#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

std::string_view sgr(Tint tint) {
  switch (tint) {
    case Tint::plain:
      return "";
    case Tint::strong:
      return "\x1b[1m";
    case Tint::faint:
      return "\x1b[2m";
    case Tint::good:
      return "\x1b[32m";
    case Tint::bad:
      return "\x1b[31m";
    case Tint::busy:
      return "\x1b[36m";
    case Tint::notice:
      return "\x1b[33m";
  }
  return "";
}

std::string without_trailing_blanks(std::string line) {
  line.erase(std::min(line.find_last_not_of(' ') + 1, line.size()));
  return line;
}

}  // namespace

std::string render(const StyledLine& line, std::size_t columns, Colour colour) {
  std::string out;
  std::size_t left = columns;
  for (const Span& span : line) {
    const std::size_t width = columns_of(span.text);
    const std::string text = width <= left ? span.text : fit(span.text, left);
    const std::string_view start = colour == Colour::on ? sgr(span.tint) : "";
    out += start;
    out += text;
    if (!start.empty()) out += "\x1b[0m";
    if (width > left) break;
    left -= width;
  }
  return without_trailing_blanks(std::move(out));
}

}  // namespace ganglion::cli

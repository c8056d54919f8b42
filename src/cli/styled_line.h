#pragma once

// A line for people as spans of text with a tint each: laid out and cut by columns first, coloured last.

#include <cstddef>
#include <string>
#include <vector>

namespace ganglion::cli {

enum class Tint { plain, strong, faint, good, bad, busy, notice };

struct Span {
  std::string text;  // printable
  Tint tint = Tint::plain;
};

using StyledLine = std::vector<Span>;

enum class Colour { off, on };

// Cut to `columns`, with SGR sequences (ECMA-48) around tinted spans where colours are on.
std::string render(const StyledLine& line, std::size_t columns, Colour colour);

}  // namespace ganglion::cli

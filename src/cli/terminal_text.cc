#include "cli/terminal_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace ganglion::cli {
namespace {

struct Decoded {
  char32_t code = 0;
  std::size_t length = 0;  // in bytes; 0 where the first byte begins no character
};

// One character of UTF-8 (RFC 3629: no overlong forms, no surrogates).
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  char32_t code = first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length};
}

struct Range {
  char32_t first, last;
};

bool within(char32_t code, const auto& ranges) {
  const auto after = std::ranges::upper_bound(ranges, code, {}, &Range::first);
  return after != std::begin(ranges) && code <= std::prev(after)->last;
}

// Combining marks and other characters without a width, by block: enough for names and messages.
constexpr auto kZeroWidth = std::to_array<Range>({{0x0300, 0x036F},
                                                  {0x0483, 0x0489},
                                                  {0x0591, 0x05BD},
                                                  {0x0610, 0x061A},
                                                  {0x064B, 0x065F},
                                                  {0x0E34, 0x0E3A},
                                                  {0x0E47, 0x0E4E},
                                                  {0x1AB0, 0x1AFF},
                                                  {0x1DC0, 0x1DFF},
                                                  {0x200B, 0x200D},
                                                  {0x20D0, 0x20FF},
                                                  {0xFE00, 0xFE0F},
                                                  {0xFE20, 0xFE2F},
                                                  {0xFEFF, 0xFEFF},
                                                  {0xE0100, 0xE01EF}});
// East Asian Width W and F (Unicode annex 11), by block.
constexpr auto kWide = std::to_array<Range>(
    {{0x1100, 0x115F},  {0x231A, 0x231B}, {0x23E9, 0x23EC},   {0x2614, 0x2615},   {0x26A1, 0x26A1},
     {0x2705, 0x2705},  {0x274C, 0x274C}, {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},
     {0x4E00, 0x9FFF},  {0xA000, 0xA4CF}, {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
     {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1F9FF},
     {0x20000, 0x3FFFD}});
// Controls, and format characters that reorder or end a line.
constexpr auto kUnsafe = std::to_array<Range>({{0x0000, 0x001F},
                                               {0x007F, 0x009F},
                                               {0x061C, 0x061C},
                                               {0x200E, 0x200F},
                                               {0x2028, 0x202E},
                                               {0x2066, 0x2069},
                                               {0xFFF9, 0xFFFB}});

std::string hex(std::uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return text.size() < 2 ? "0" + text : text;
}

std::string escaped(char32_t code) {
  switch (code) {
    case U'\n':
      return "\\n";
    case U'\r':
      return "\\r";
    case U'\t':
      return "\\t";
    default:
      break;
  }
  return code < 0x100 ? "\\x" + hex(code) : "\\u{" + hex(code) + "}";
}

std::size_t columns_of(char32_t code) {
  if (within(code, kZeroWidth)) return 0;
  return within(code, kWide) ? 2 : 1;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.length == 0) {
      out += "\\x" + hex(static_cast<unsigned char>(text.front()));
    } else if (within(next.code, kUnsafe)) {
      out += escaped(next.code);
    } else {
      out += text.substr(0, next.length);
    }
    text.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Decoded next = decode(text);
    columns += next.length == 0 ? 1 : columns_of(next.code);
    text.remove_prefix(std::max<std::size_t>(next.length, 1));
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  if (columns == 0) return "";
  std::size_t taken = 0, used = 0;
  while (taken < text.size()) {
    const Decoded next = decode(text.substr(taken));
    const std::size_t wide = next.length == 0 ? 1 : columns_of(next.code);
    if (used + wide > columns - 1) break;
    used += wide;
    taken += std::max<std::size_t>(next.length, 1);
  }
  return std::string(text.substr(0, taken)) + "…";
}

std::string padded(std::string_view text, std::size_t columns) {
  const std::size_t width = columns_of(text);
  return std::string(text) + std::string(columns > width ? columns - width : 0, ' ');
}

std::string padded_left(std::string_view text, std::size_t columns) {
  const std::size_t width = columns_of(text);
  return std::string(columns > width ? columns - width : 0, ' ') + std::string(text);
}

}  // namespace ganglion::cli

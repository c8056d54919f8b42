#pragma once

// Finding the end of what needs no attention in JSON text, eight bytes at a time: most of a payload is plain.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ganglion {

// Where the run of plain text that begins at `at` ends: at a quote, a backslash, a control character or a
// byte that isn't ASCII, else at the end of the text.
inline std::size_t end_of_plain(std::string_view text, std::size_t at) {
  static_assert(std::endian::native == std::endian::little, "the first byte is taken to be the lowest");
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  // The high bit of every byte that is zero; of those above the lowest such byte it may be wrong.
  const auto zeros = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHigh; };
  while (at + 8 <= text.size()) {
    std::uint64_t bytes;
    std::memcpy(&bytes, text.data() + at, 8);
    const std::uint64_t control = (bytes - kOnes * 0x20) & ~bytes & kHigh;
    const std::uint64_t found =
        control | zeros(bytes ^ (kOnes * '"')) | zeros(bytes ^ (kOnes * '\\')) | (bytes & kHigh);
    if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    at += 8;
  }
  while (at < text.size()) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
    ++at;
  }
  return at;
}

// Behind the closing quote of the JSON string whose opening quote stands at `at`; npos if it has no end.
inline std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size();) {
    at = end_of_plain(text, at);
    if (at >= text.size()) break;
    if (text[at] == '"') return at + 1;
    at += text[at] == '\\' ? 2 : 1;
  }
  return std::string_view::npos;
}

}  // namespace ganglion

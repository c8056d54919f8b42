#include "core/expr/utf8.h"

#include <algorithm>

namespace ganglion::expr {
namespace {

struct Lead {
  std::size_t length;
  // Bounds of the second byte: they exclude overlong forms, surrogates and what lies above U+10FFFF.
  unsigned char low, high;
};

std::optional<Lead> classify(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return Lead{2, 0x80, 0xBF};
  if (byte == 0xE0) return Lead{3, 0xA0, 0xBF};
  if (byte == 0xED) return Lead{3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return Lead{3, 0x80, 0xBF};
  if (byte == 0xF0) return Lead{4, 0x90, 0xBF};
  if (byte == 0xF4) return Lead{4, 0x80, 0x8F};
  if (byte >= 0xF1 && byte <= 0xF3) return Lead{4, 0x80, 0xBF};
  return std::nullopt;
}

bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t at = 0;
  while (at < text.size()) {
    if (byte(at) < 0x80) {
      ++at;
      continue;
    }
    auto lead = classify(byte(at));
    if (!lead || text.size() - at < lead->length) return at;
    if (byte(at + 1) < lead->low || byte(at + 1) > lead->high) return at;
    for (std::size_t i = 2; i < lead->length; ++i) {
      if (!is_continuation(byte(at + i))) return at;
    }
    at += lead->length;
  }
  return std::nullopt;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return !is_continuation(static_cast<unsigned char>(c)); }));
}

bool is_scalar_value(std::uint32_t code_point) {
  return code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF);
}

void append_code_point(std::string& out, std::uint32_t code_point) {
  auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace ganglion::expr

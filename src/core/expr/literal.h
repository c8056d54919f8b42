#pragma once

// String and bytes literals: prefixes, quotes, escapes.

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "core/expr/program.h"

namespace ganglion::expr {

struct QuotedLiteral {
  std::string value;
  bool bytes;
  std::size_t end;  // the offset after the closing quote
};

// Whether a literal with its prefix (`r`, `b`, `br` in any case) and quotes starts at `at`.
bool starts_quoted_literal(std::string_view source, std::size_t at);
// Where one starts.
std::expected<QuotedLiteral, CompileError> read_quoted_literal(std::string_view source, std::size_t at);

}  // namespace ganglion::expr

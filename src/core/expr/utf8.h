#pragma once

// UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ganglion::expr {

// The offset of the first byte that is not part of a valid sequence, or nothing.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);
// Of valid text.
std::size_t count_code_points(std::string_view text);
bool is_scalar_value(std::uint32_t code_point);
// `code_point` is a scalar value.
void append_code_point(std::string& out, std::uint32_t code_point);

}  // namespace ganglion::expr

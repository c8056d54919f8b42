#pragma once

// JSON (RFC 8259) as text: where a value ends, what a string says. Strict, iterative,
// bounded in depth: the lazy values stand on it, so it must survive any bytes.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ganglion::expr {

// One deeper is not taken as JSON.
inline constexpr std::size_t kMaxJsonDepth = 500;

std::size_t skip_json_whitespace(std::string_view text, std::size_t at);
// The end of the value that starts at `at` (no whitespace before it), or nothing where there is no valid
// value. Checks the form of strings but not their UTF-8.
std::optional<std::size_t> skip_json_value(std::string_view text, std::size_t at);
// One value, whitespace around it, valid UTF-8.
bool is_json(std::string_view text);

// `token` with its quotes; nothing where it is malformed. Unpaired surrogates, which RFC 8259 lets a payload
// hold, become U+FFFD.
std::optional<std::string> decode_json_string(std::string_view token);
// Shortest form that reads back the same; an integral value keeps its point (`1.0`). `value` is finite.
void append_json_double(std::string& out, double value);
// The nearest double, 0 or infinity where it is out of range; nothing where `text` is not one number.
std::optional<double> read_double(std::string_view text);

}  // namespace ganglion::expr

#include "core/expr/literal.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

struct Opening {
  bool raw = false;
  bool bytes = false;
  std::string_view quote;  // one or three quotation marks
  std::size_t content = 0;
};

std::optional<Opening> read_opening(std::string_view source, std::size_t at) {
  Opening opening;
  auto skip_letter = [&](char lower, char upper) {
    bool found = at < source.size() && (source[at] == lower || source[at] == upper);
    at += found ? 1 : 0;
    return found;
  };
  opening.bytes = skip_letter('b', 'B');
  opening.raw = skip_letter('r', 'R');
  std::string_view rest = source.substr(at);
  if (!rest.starts_with('"') && !rest.starts_with('\'')) return std::nullopt;
  bool triple = rest.starts_with("\"\"\"") || rest.starts_with("'''");
  opening.quote = rest.substr(0, triple ? 3 : 1);
  opening.content = at + opening.quote.size();
  return opening;
}

std::expected<std::uint32_t, CompileError> read_digits(std::string_view source, std::size_t at,
                                                       std::size_t count, int base, std::size_t escape) {
  std::uint32_t value = 0;
  std::string_view digits = source.substr(std::min(at, source.size()), count);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.size() != count || error != std::errc{} || end != digits.data() + count) {
    return std::unexpected(CompileError{escape, "an escape sequence needs " + std::to_string(count) +
                                                    (base == 8 ? " octal" : " hexadecimal") + " digits"});
  }
  return value;
}

// A number in an escape: a byte in a bytes literal, a code point in a string.
struct NumericEscape {
  std::size_t digits_at;
  std::size_t count;
  int base;
  bool code_point;  // \u and \U: not in bytes literals
};

std::optional<NumericEscape> classify_numeric_escape(std::string_view source, std::size_t at) {
  char c = source[at + 1];
  if (c == 'x' || c == 'X') return NumericEscape{at + 2, 2, 16, false};
  if (c == 'u') return NumericEscape{at + 2, 4, 16, true};
  if (c == 'U') return NumericEscape{at + 2, 8, 16, true};
  if (c >= '0' && c <= '3') return NumericEscape{at + 1, 3, 8, false};
  return std::nullopt;
}

// The escape sequence at `at` (its backslash); gives the offset after it.
std::expected<std::size_t, CompileError> read_escape(std::string_view source, std::size_t at, bool bytes,
                                                     std::string& out) {
  auto error = [&](std::string message) { return std::unexpected(CompileError{at, std::move(message)}); };
  if (at + 1 >= source.size()) return error("the literal is not closed");
  constexpr std::string_view kNames = "abfnrtv\\?\"'`";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\?\"'`";
  if (auto index = kNames.find(source[at + 1]); index != std::string_view::npos) {
    out.push_back(kValues[index]);
    return at + 2;
  }
  auto numeric = classify_numeric_escape(source, at);
  if (!numeric)
    return error("unknown escape sequence; in a raw literal (r'…') backslashes stand for themselves");
  if (numeric->code_point && bytes) return error("\\u and \\U have no meaning in a bytes literal");
  auto value = read_digits(source, numeric->digits_at, numeric->count, numeric->base, at);
  if (!value) return std::unexpected(value.error());
  if (bytes) {
    out.push_back(static_cast<char>(*value));
  } else if (is_scalar_value(*value)) {
    append_code_point(out, *value);
  } else {
    return error("the escape sequence is not a Unicode code point");
  }
  return numeric->digits_at + numeric->count;
}

}  // namespace

bool starts_quoted_literal(std::string_view source, std::size_t at) {
  return read_opening(source, at).has_value();
}

std::expected<QuotedLiteral, CompileError> read_quoted_literal(std::string_view source, std::size_t at) {
  Opening opening = read_opening(source, at).value_or(Opening{});
  QuotedLiteral literal{{}, opening.bytes, opening.content};
  auto unclosed = [&] { return std::unexpected(CompileError{at, "the literal is not closed"}); };
  if (opening.quote.empty()) return unclosed();
  while (literal.end < source.size()) {
    if (source.substr(literal.end).starts_with(opening.quote)) {
      literal.end += opening.quote.size();
      return literal;
    }
    char c = source[literal.end];
    if (c == '\\' && !opening.raw) {
      auto next = read_escape(source, literal.end, opening.bytes, literal.value);
      if (!next) return std::unexpected(std::move(next.error()));
      literal.end = *next;
      continue;
    }
    if ((c == '\n' || c == '\r') && opening.quote.size() == 1) return unclosed();
    literal.value.push_back(c);
    ++literal.end;
  }
  return unclosed();
}

}  // namespace ganglion::expr

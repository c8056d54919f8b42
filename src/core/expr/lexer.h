#pragma once

// The text of an expression as tokens. Literals are decoded here, so that every error in one has its
// position.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "core/expr/program.h"

namespace ganglion::expr {

enum class TokenKind : std::uint8_t {
  end,
  identifier,         // `text` is the name; may be a reserved word
  quoted_identifier,  // `text` is the name without its backticks
  int_literal,        // `text` is the magnitude: decimal or 0x…
  uint_literal,       // `text` without its suffix
  double_literal,
  string_literal,  // `text` is decoded
  bytes_literal,   // `text` is decoded
  punctuation,     // `text` is the operator or bracket
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;
  std::size_t offset = 0;
  std::size_t end = 0;  // the offset after it

  bool is(std::string_view punctuation_text) const {
    return kind == TokenKind::punctuation && text == punctuation_text;
  }
};

class Lexer {
 public:
  // `source` must outlive the lexer and be valid UTF-8.
  explicit Lexer(std::string_view source, std::size_t at = 0) : source_(source), at_(at) {}

  std::expected<Token, CompileError> next();

 private:
  void skip_space();
  Token token(TokenKind kind, std::string text, std::size_t begin) const;
  Token identifier();
  std::expected<Token, CompileError> quoted_identifier();
  std::expected<Token, CompileError> number();
  std::expected<Token, CompileError> punctuation();

  std::string_view source_;
  std::size_t at_;
};

}  // namespace ganglion::expr

#include "core/expr/lexer.h"

#include <array>

#include "core/expr/literal.h"

namespace ganglion::expr {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool starts_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool continues_name(char c) {
  return starts_name(c) || is_digit(c);
}

// Longer operators before their prefixes.
constexpr std::array<std::string_view, 27> kPunctuation = {"==", "!=", "<=", ">=", "&&", "||", "<", ">", "+",
                                                           "-",  "*",  "/",  "%",  "!",  "?",  ":", "(", ")",
                                                           "[",  "]",  "{",  "}",  ",",  ".",  "=", "&", "|"};

}  // namespace

Token Lexer::token(TokenKind kind, std::string text, std::size_t begin) const {
  return Token{kind, std::move(text), begin, at_};
}

void Lexer::skip_space() {
  while (at_ < source_.size()) {
    if (source_.substr(at_).starts_with("//")) {
      while (at_ < source_.size() && source_[at_] != '\n') ++at_;
    } else if (std::string_view(" \t\n\f\r").find(source_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      return;
    }
  }
}

std::expected<Token, CompileError> Lexer::next() {
  skip_space();
  if (at_ >= source_.size()) return token(TokenKind::end, {}, at_);
  char c = source_[at_];
  if (starts_quoted_literal(source_, at_)) {
    std::size_t begin = at_;
    auto literal = read_quoted_literal(source_, at_);
    if (!literal) return std::unexpected(std::move(literal.error()));
    at_ = literal->end;
    return token(literal->bytes ? TokenKind::bytes_literal : TokenKind::string_literal,
                 std::move(literal->value), begin);
  }
  if (starts_name(c)) return identifier();
  if (c == '`') return quoted_identifier();
  if (is_digit(c) || (c == '.' && at_ + 1 < source_.size() && is_digit(source_[at_ + 1]))) return number();
  return punctuation();
}

Token Lexer::identifier() {
  std::size_t begin = at_;
  while (at_ < source_.size() && continues_name(source_[at_])) ++at_;
  return token(TokenKind::identifier, std::string(source_.substr(begin, at_ - begin)), begin);
}

std::expected<Token, CompileError> Lexer::quoted_identifier() {
  std::size_t begin = at_++;
  while (at_ < source_.size() && (continues_name(source_[at_]) ||
                                  std::string_view("-./ ").find(source_[at_]) != std::string_view::npos)) {
    ++at_;
  }
  if (at_ >= source_.size() || source_[at_] != '`' || at_ == begin + 1) {
    return std::unexpected(CompileError{
        begin, "a name in backticks holds letters, digits, '_', '-', '.', '/' and spaces, and is closed"});
  }
  ++at_;
  return token(TokenKind::quoted_identifier, std::string(source_.substr(begin + 1, at_ - begin - 2)), begin);
}

std::expected<Token, CompileError> Lexer::number() {
  std::size_t begin = at_;
  auto peek = [&](std::size_t ahead) { return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0'; };
  TokenKind kind = TokenKind::int_literal;
  if (source_[at_] == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex_digit(peek(2))) {
    at_ += 2;
    while (is_hex_digit(peek(0))) ++at_;
  } else {
    while (is_digit(peek(0))) ++at_;
    if (peek(0) == '.' && is_digit(peek(1))) {
      kind = TokenKind::double_literal;
      ++at_;
      while (is_digit(peek(0))) ++at_;
    }
    std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek(0) == 'e' || peek(0) == 'E') && is_digit(peek(1 + sign))) {
      kind = TokenKind::double_literal;
      at_ += 1 + sign;
      while (is_digit(peek(0))) ++at_;
    }
  }
  std::string text(source_.substr(begin, at_ - begin));
  if (kind == TokenKind::int_literal && (peek(0) == 'u' || peek(0) == 'U')) {
    kind = TokenKind::uint_literal;
    ++at_;
  }
  if (continues_name(peek(0))) return std::unexpected(CompileError{at_, "a number runs into a name"});
  return token(kind, std::move(text), begin);
}

std::expected<Token, CompileError> Lexer::punctuation() {
  for (std::string_view mark : kPunctuation) {
    if (!source_.substr(at_).starts_with(mark)) continue;
    at_ += mark.size();
    return token(TokenKind::punctuation, std::string(mark), at_ - mark.size());
  }
  return std::unexpected(CompileError{at_, "unexpected character"});
}

}  // namespace ganglion::expr

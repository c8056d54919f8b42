#include "core/expr/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/expr/json_scan.h"
#include "core/expr/names.h"
#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

struct BinaryOperator {
  std::string_view text;
  int precedence;
  Function function;
};

constexpr std::array<BinaryOperator, 11> kBinaryOperators = {{{"==", 1, Function::equal},
                                                              {"!=", 1, Function::not_equal},
                                                              {"<", 1, Function::less},
                                                              {"<=", 1, Function::less_or_equal},
                                                              {">", 1, Function::greater},
                                                              {">=", 1, Function::greater_or_equal},
                                                              {"+", 2, Function::add},
                                                              {"-", 2, Function::subtract},
                                                              {"*", 3, Function::multiply},
                                                              {"/", 3, Function::divide},
                                                              {"%", 3, Function::modulo}}};

std::optional<BinaryOperator> binary_operator(const Token& token) {
  if (token.kind == TokenKind::identifier && token.text == "in") return BinaryOperator{"in", 1, Function::in};
  if (token.kind != TokenKind::punctuation) return std::nullopt;
  auto found = std::ranges::find(kBinaryOperators, token.text, &BinaryOperator::text);
  return found == kBinaryOperators.end() ? std::nullopt : std::optional(*found);
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "the end of the expression";
    case TokenKind::identifier:
    case TokenKind::quoted_identifier:
    case TokenKind::punctuation:
      return "'" + token.text + "'";
    case TokenKind::int_literal:
    case TokenKind::uint_literal:
    case TokenKind::double_literal:
      return "a number";
    case TokenKind::string_literal:
    case TokenKind::bytes_literal:
      return "a string";
  }
  return {};
}

// The magnitude of an integer literal, or nothing where it is too large.
std::optional<std::uint64_t> read_magnitude(std::string_view text) {
  bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint64_t value = 0;
  auto error = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10).ec;
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

std::expected<Ast, CompileError> Parser::parse(std::string_view source, const CompileOptions& options) {
  if (source.size() > kMaxSourceBytes) {
    return std::unexpected(CompileError{
        kMaxSourceBytes, "the expression is longer than " + std::to_string(kMaxSourceBytes) + " bytes"});
  }
  if (auto invalid = find_invalid_utf8(source))
    return std::unexpected(CompileError{*invalid, "invalid UTF-8"});
  Parser parser(options);
  if (auto tokens = parser.tokenize(source); !tokens) return std::unexpected(std::move(tokens.error()));
  auto root = parser.parse_expression();
  if (!root) return std::unexpected(std::move(root.error()));
  if (parser.peek().kind != TokenKind::end) return parser.error_here("unexpected " + describe(parser.peek()));
  parser.ast_.source = std::string(source);
  parser.ast_.root = *root;
  parser.finish_names();
  return std::move(parser.ast_);
}

std::expected<void, CompileError> Parser::tokenize(std::string_view source) {
  Lexer lexer(source);
  do {
    auto token = lexer.next();
    if (!token) return std::unexpected(std::move(token.error()));
    tokens_.push_back(std::move(*token));
  } while (tokens_.back().kind != TokenKind::end);
  return {};
}

void Parser::finish_names() {
  for (Node& node : ast_.nodes) {
    NameNode* name = std::get_if<NameNode>(&node);
    if (!name) continue;
    name->candidates = name_candidates(name->path, name->absolute, options_.container);
    name->type = kind_of_type_name(qualified_names(name->path, true, {}).front());
  }
  std::erase_if(ast_.references, [](const Reference& reference) {
    return kind_of_type_name(qualified_names(reference.path, true, {}).front()).has_value();
  });
}

const Token& Parser::peek(std::size_t ahead) const {
  return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

Token Parser::take() {
  Token token = peek();
  if (token.kind != TokenKind::end) ++position_;
  return token;
}

bool Parser::take_if(std::string_view punctuation) {
  if (!peek().is(punctuation)) return false;
  ++position_;
  return true;
}

std::expected<void, CompileError> Parser::expect(std::string_view punctuation, std::string_view what) {
  if (take_if(punctuation)) return {};
  return error_here("expected '" + std::string(punctuation) + "' " + std::string(what) + ", found " +
                    describe(peek()));
}

std::unexpected<CompileError> Parser::error_here(std::string message) const {
  return std::unexpected(CompileError{peek().offset, std::move(message)});
}

Parser::Parsed Parser::add(Node node, std::span<const NodeIndex> children, std::size_t offset) {
  int height = 0;
  for (NodeIndex child : children) height = std::max(height, heights_[child.value()]);
  if (++height > kMaxNesting) {
    return std::unexpected(CompileError{
        offset, "the expression is nested more than " + std::to_string(kMaxNesting) + " levels deep"});
  }
  NodeIndex index(static_cast<std::uint32_t>(ast_.nodes.size()));
  ast_.nodes.push_back(std::move(node));
  heights_.push_back(height);
  return index;
}

const Value* Parser::constant(NodeIndex index) const {
  const ConstantNode* node = std::get_if<ConstantNode>(&ast_[index]);
  return node ? &node->value : nullptr;
}

Parser::Parsed Parser::parse_expression() {
  if (nesting_ == kMaxNesting) {
    return error_here("the expression is nested more than " + std::to_string(kMaxNesting) + " levels deep");
  }
  ++nesting_;
  Parsed parsed = parse_conditional();
  --nesting_;
  return parsed;
}

Parser::Parsed Parser::parse_conditional() {
  Parsed condition = parse_logical(true);
  std::size_t offset = peek().offset;
  if (!condition || !take_if("?")) return condition;
  Parsed then = parse_logical(true);
  if (!then) return then;
  if (auto colon = expect(":", "between the values of a condition"); !colon)
    return std::unexpected(colon.error());
  Parsed otherwise = parse_expression();
  if (!otherwise) return otherwise;
  return add(ConditionalNode{*condition, *then, *otherwise}, std::array{*condition, *then, *otherwise},
             offset);
}

Parser::Parsed Parser::parse_logical(bool decisive) {
  auto operand = [&] { return decisive ? parse_logical(false) : parse_binary(1); };
  std::size_t offset = peek().offset;
  Parsed first = operand();
  if (!first) return first;
  std::vector<NodeIndex> operands = {*first};
  while (take_if(decisive ? "||" : "&&")) {
    Parsed next = operand();
    if (!next) return next;
    operands.push_back(*next);
  }
  if (operands.size() == 1) return first;
  return add(LogicalNode{decisive, operands}, operands, offset);
}

Parser::Parsed Parser::parse_binary(int minimum_precedence) {
  Parsed left = parse_unary();
  while (left) {
    auto next = binary_operator(peek());
    if (!next || next->precedence < minimum_precedence) return left;
    std::size_t offset = take().offset;
    Parsed right = parse_binary(next->precedence + 1);
    if (!right) return right;
    left = add(CallNode{next->function, {*left, *right}}, std::array{*left, *right}, offset);
  }
  return left;
}

Parser::Parsed Parser::parse_unary() {
  if (peek().is("-")) return parse_negation();
  std::size_t offset = peek().offset;
  std::size_t count = 0;
  while (take_if("!")) ++count;
  Parsed operand = parse_member();
  // Pairs cancel out, but two remain: !! still refuses what is not a bool.
  for (std::size_t i = count > 2 ? 2 - count % 2 : count; operand && i > 0; --i) {
    operand = add(CallNode{Function::logical_not, {*operand}}, std::array{*operand}, offset);
  }
  return operand;
}

// The last minus belongs to a number that follows it, so that the smallest int can be written.
Parser::Parsed Parser::parse_negation() {
  std::size_t offset = peek().offset;
  std::size_t count = 0;
  auto literal_after_minus = [&] {
    return peek(1).kind == TokenKind::int_literal || peek(1).kind == TokenKind::double_literal;
  };
  while (peek().is("-") && !literal_after_minus()) {
    ++position_;
    ++count;
  }
  Parsed operand = parse_member();
  for (std::size_t i = count > 2 ? 2 - count % 2 : count; operand && i > 0; --i) {
    operand = add(CallNode{Function::negate, {*operand}}, std::array{*operand}, offset);
  }
  return operand;
}

Parser::Parsed Parser::parse_member() {
  auto chain = parse_primary();
  while (chain && (peek().is(".") || peek().is("["))) {
    chain = peek().is(".") ? parse_selection(*chain) : parse_index(*chain);
  }
  if (!chain) return std::unexpected(std::move(chain.error()));
  return chain->node;
}

Parser::ParsedChain Parser::chain_from(Parsed node, std::optional<std::size_t> reference) {
  if (!node) return std::unexpected(std::move(node.error()));
  return Chain{*node, reference};
}

Parser::ParsedChain Parser::parse_primary() {
  const Token& token = peek();
  switch (token.kind) {
    case TokenKind::identifier:
      return parse_name();
    case TokenKind::int_literal:
    case TokenKind::uint_literal:
    case TokenKind::double_literal:
    case TokenKind::string_literal:
    case TokenKind::bytes_literal:
      return chain_from(parse_literal());
    case TokenKind::punctuation:
      break;
    case TokenKind::end:
    case TokenKind::quoted_identifier:
      return error_here("expected a value, found " + describe(token));
  }
  if (token.is(".")) return parse_name();
  if (token.is("-")) return chain_from(parse_literal());
  if (token.is("[")) return chain_from(parse_list());
  if (token.is("{")) return chain_from(parse_map());
  if (!take_if("(")) return error_here("expected a value, found " + describe(token));
  Parsed inner = parse_expression();
  if (!inner) return chain_from(inner);
  if (auto close = expect(")", "to close the parenthesis"); !close) return std::unexpected(close.error());
  return chain_from(inner);
}

Parser::ParsedChain Parser::parse_name() {
  std::size_t offset = peek().offset;
  bool absolute = take_if(".");
  if (peek().kind != TokenKind::identifier) return error_here("expected a name, found " + describe(peek()));
  Token name = take();
  if (!absolute && name.text == "null") return chain_from(add(ConstantNode{Value()}, {}, offset));
  if (!absolute && (name.text == "true" || name.text == "false")) {
    return chain_from(add(ConstantNode{Value::boolean(name.text == "true")}, {}, offset));
  }
  if (is_reserved_word(name.text)) {
    return std::unexpected(CompileError{name.offset, "'" + name.text + "' is a reserved word"});
  }
  if (peek().is("(")) return chain_from(parse_global_call(name));
  if (auto slot = absolute ? std::nullopt : find_variable(name.text)) {
    return chain_from(add(VariableNode{*slot}, {}, offset));
  }
  ast_.references.push_back(Reference{{name.text}, offset});
  NameNode node{{name.text}, absolute, {}, std::nullopt};
  return chain_from(add(std::move(node), {}, offset), ast_.references.size() - 1);
}

// A number (with its minus), a string or bytes.
Parser::Parsed Parser::parse_literal() {
  bool negative = take_if("-");
  Token token = take();
  auto add_constant = [&](Value value) { return add(ConstantNode{std::move(value)}, {}, token.offset); };
  if (token.kind == TokenKind::string_literal) return add_constant(Value::string(std::move(token.text)));
  if (token.kind == TokenKind::bytes_literal) return add_constant(Value::bytes(std::move(token.text)));
  auto too_large = [&] { return std::unexpected(CompileError{token.offset, "the number is out of range"}); };
  if (token.kind == TokenKind::double_literal) {
    double value = read_double(token.text).value_or(0);
    if (!std::isfinite(value)) return too_large();
    return add_constant(Value::real(negative ? -value : value));
  }
  auto magnitude = read_magnitude(token.text);
  if (!magnitude) return too_large();
  if (token.kind == TokenKind::uint_literal) return add_constant(Value::unsigned_integer(*magnitude));
  constexpr std::uint64_t kSmallestIntMagnitude = std::uint64_t{1} << 63;
  if (*magnitude > kSmallestIntMagnitude - (negative ? 0 : 1)) return too_large();
  return add_constant(Value::integer(static_cast<std::int64_t>(negative ? 0 - *magnitude : *magnitude)));
}

// Of constants: a constant.
Parser::Parsed Parser::parse_list() {
  std::size_t offset = take().offset;
  std::vector<NodeIndex> items;
  while (!take_if("]")) {
    Parsed item = parse_expression();
    if (!item) return item;
    items.push_back(*item);
    if (!peek().is("]")) {
      if (auto comma = expect(",", "or ']' in a list"); !comma) return std::unexpected(comma.error());
    }
  }
  if (std::ranges::all_of(items, [&](NodeIndex item) { return constant(item) != nullptr; })) {
    std::vector<Value> values;
    for (NodeIndex item : items) values.push_back(*constant(item));
    return add(ConstantNode{Value::list(std::move(values))}, items, offset);
  }
  return add(ListNode{items}, items, offset);
}

Parser::Parsed Parser::parse_map() {
  std::size_t offset = take().offset;
  std::vector<std::pair<NodeIndex, NodeIndex>> entries;
  std::vector<NodeIndex> children;
  while (!take_if("}")) {
    Parsed key = parse_expression();
    if (!key) return key;
    if (auto colon = expect(":", "between key and value"); !colon) return std::unexpected(colon.error());
    Parsed value = parse_expression();
    if (!value) return value;
    entries.emplace_back(*key, *value);
    children.insert(children.end(), {*key, *value});
    if (!peek().is("}")) {
      if (auto comma = expect(",", "or '}' in a map"); !comma) return std::unexpected(comma.error());
    }
  }
  if (std::ranges::all_of(children, [&](NodeIndex child) { return constant(child) != nullptr; })) {
    std::vector<Value::Entry> values;
    for (auto [key, value] : entries) values.emplace_back(*constant(key), *constant(value));
    // A map that can't be made is an error of evaluation, so that it may be absorbed.
    if (auto map = Value::map(std::move(values))) return add(ConstantNode{std::move(*map)}, children, offset);
  }
  return add(MapNode{std::move(entries)}, children, offset);
}

}  // namespace ganglion::expr

#pragma once

// Recursive descent over the tokens of one expression, straight into the tree. Operators go by precedence, so
// the recursion grows with brackets, not with operators; both it and the tree's height are bounded by
// kMaxNesting.

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/expr/ast.h"
#include "core/expr/lexer.h"

namespace ganglion::expr {

class Parser {
 public:
  static std::expected<Ast, CompileError> parse(std::string_view source, const CompileOptions& options);

 private:
  using Parsed = std::expected<NodeIndex, CompileError>;

  // A member chain (`a.b[0].c`) while it is read: while it is a constant path from a free name, `reference`
  // is the position of its reference.
  struct Chain {
    NodeIndex node;
    std::optional<std::size_t> reference;
  };
  using ParsedChain = std::expected<Chain, CompileError>;

  static ParsedChain chain_from(Parsed node, std::optional<std::size_t> reference = std::nullopt);

  explicit Parser(const CompileOptions& options) : options_(options) {}

  std::expected<void, CompileError> tokenize(std::string_view source);
  void finish_names();

  Parsed parse_expression();
  Parsed parse_conditional();
  Parsed parse_logical(bool decisive);
  Parsed parse_binary(int minimum_precedence);
  Parsed parse_unary();
  Parsed parse_negation();
  Parsed parse_member();
  ParsedChain parse_primary();
  ParsedChain parse_name();
  Parsed parse_literal();
  Parsed parse_list();
  Parsed parse_map();
  ParsedChain parse_selection(Chain chain);
  ParsedChain parse_index(Chain chain);
  Parsed parse_global_call(const Token& name);
  Parsed parse_method_call(NodeIndex receiver, const Token& name);
  std::expected<std::vector<NodeIndex>, CompileError> parse_arguments();
  Parsed make_call(const Token& name, CallStyle style, std::vector<NodeIndex> arguments);

  // parser_macros.cc
  struct MacroShape {
    Macro macro;
    std::size_t variables;
    bool condition;
  };
  static std::optional<MacroShape> find_macro(std::string_view name, std::size_t arguments);
  std::size_t count_arguments() const;
  Parsed parse_macro(NodeIndex source, const MacroShape& shape, std::size_t offset);
  std::expected<std::string, CompileError> parse_macro_variable();
  Parsed parse_has(std::size_t offset);

  const Token& peek(std::size_t ahead = 0) const;
  Token take();
  bool take_if(std::string_view punctuation);
  std::expected<void, CompileError> expect(std::string_view punctuation, std::string_view what);
  std::unexpected<CompileError> error_here(std::string message) const;

  Parsed add(Node node, std::span<const NodeIndex> children, std::size_t offset);
  const Value* constant(NodeIndex index) const;
  std::optional<Slot> find_variable(std::string_view name) const;

  const CompileOptions& options_;
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
  int nesting_ = 0;
  Ast ast_;
  std::vector<int> heights_;            // of each node
  std::vector<std::string> variables_;  // of the macros around the current position; the slot is the position
};

}  // namespace ganglion::expr

// Member chains, calls and macros.

#include <array>

#include "core/expr/names.h"
#include "core/expr/parser.h"

namespace ganglion::expr {

std::optional<Slot> Parser::find_variable(std::string_view name) const {
  for (std::size_t i = variables_.size(); i > 0; --i) {
    if (variables_[i - 1] == name) return Slot(static_cast<std::uint32_t>(i - 1));
  }
  return std::nullopt;
}

// `.field`, `` .`quoted field` `` or `.method(…)`
Parser::ParsedChain Parser::parse_selection(Chain chain) {
  std::size_t offset = take().offset;
  bool quoted = peek().kind == TokenKind::quoted_identifier;
  if (!quoted && peek().kind != TokenKind::identifier) return error_here("expected a field name after '.'");
  Token name = take();
  if (!quoted && (name.text == "true" || name.text == "false" || name.text == "null" || name.text == "in")) {
    return std::unexpected(CompileError{
        name.offset, "'" + name.text + "' can't be a field name here; write [\"" + name.text + "\"]"});
  }
  if (!quoted && peek().is("(")) return chain_from(parse_method_call(chain.node, name));
  if (chain.reference) ast_.references[*chain.reference].path.push_back(name.text);
  NameNode* prefix = std::get_if<NameNode>(&ast_.nodes[chain.node.value()]);
  if (prefix && !quoted && prefix->path.size() < kMaxNameParts) {
    prefix->path.push_back(std::move(name.text));
    return chain;
  }
  return chain_from(add(SelectNode{chain.node, std::move(name.text)}, std::array{chain.node}, offset),
                    chain.reference);
}

Parser::ParsedChain Parser::parse_index(Chain chain) {
  std::size_t offset = take().offset;
  Parsed index = parse_expression();
  if (!index) return std::unexpected(std::move(index.error()));
  if (auto close = expect("]", "to close the index"); !close) return std::unexpected(close.error());
  const Value* key = constant(*index);
  if (key && key->is(Kind::string)) {
    if (chain.reference) ast_.references[*chain.reference].path.push_back(key->as_string());
  } else {
    chain.reference.reset();
  }
  CallNode call{Function::index, {chain.node, *index}};
  return chain_from(add(std::move(call), std::array{chain.node, *index}, offset), chain.reference);
}

Parser::Parsed Parser::parse_global_call(const Token& name) {
  if (name.text == "has") return parse_has(name.offset);
  auto arguments = parse_arguments();
  if (!arguments) return std::unexpected(std::move(arguments.error()));
  return make_call(name, CallStyle::global, std::move(*arguments));
}

Parser::Parsed Parser::parse_method_call(NodeIndex receiver, const Token& name) {
  if (auto macro = find_macro(name.text, count_arguments()))
    return parse_macro(receiver, *macro, name.offset);
  auto arguments = parse_arguments();
  if (!arguments) return std::unexpected(std::move(arguments.error()));
  arguments->insert(arguments->begin(), receiver);
  return make_call(name, CallStyle::method, std::move(*arguments));
}

std::expected<std::vector<NodeIndex>, CompileError> Parser::parse_arguments() {
  std::vector<NodeIndex> arguments;
  take();  // the parenthesis
  if (take_if(")")) return arguments;
  while (true) {
    Parsed argument = parse_expression();
    if (!argument) return std::unexpected(std::move(argument.error()));
    arguments.push_back(*argument);
    if (take_if(")")) return arguments;
    if (auto comma = expect(",", "or ')' after an argument"); !comma) return std::unexpected(comma.error());
  }
}

Parser::Parsed Parser::make_call(const Token& name, CallStyle style, std::vector<NodeIndex> arguments) {
  auto function = find_function(name.text, style, arguments.size());
  if (!function) {
    bool known = is_function_name(name.text) || find_macro(name.text, 2) || find_macro(name.text, 3);
    Error error = known ? Error{"no_such_overload", "'" + name.text + "' is not called with these arguments"}
                        : Error{"unknown_function", "no function '" + name.text + "'"};
    ast_.warnings.push_back(CompileError{name.offset, error.message});
    return add(UnknownCallNode{std::move(error)}, arguments, name.offset);
  }
  const Value* pattern = *function == Function::matches ? constant(arguments[1]) : nullptr;
  if (pattern && pattern->is(Kind::string)) {
    auto regex = Regex::compile(pattern->as_string());
    if (!regex) return std::unexpected(CompileError{name.offset, regex.error().message});
    return add(MatchNode{arguments[0], std::move(*regex)}, arguments, name.offset);
  }
  return add(CallNode{*function, arguments}, arguments, name.offset);
}

std::optional<Parser::MacroShape> Parser::find_macro(std::string_view name, std::size_t arguments) {
  struct Form {
    std::string_view name;
    std::size_t arguments;
    MacroShape shape;
  };
  constexpr std::array<Form, 17> kForms = {{{"all", 2, {Macro::all, 1, false}},
                                            {"all", 3, {Macro::all, 2, false}},
                                            {"exists", 2, {Macro::exists, 1, false}},
                                            {"exists", 3, {Macro::exists, 2, false}},
                                            {"exists_one", 2, {Macro::exists_one, 1, false}},
                                            {"exists_one", 3, {Macro::exists_one, 2, false}},
                                            {"existsOne", 2, {Macro::exists_one, 1, false}},
                                            {"existsOne", 3, {Macro::exists_one, 2, false}},
                                            {"filter", 2, {Macro::filter, 1, false}},
                                            {"map", 2, {Macro::map, 1, false}},
                                            {"map", 3, {Macro::map, 1, true}},
                                            {"transformList", 3, {Macro::map, 2, false}},
                                            {"transformList", 4, {Macro::map, 2, true}},
                                            {"transformMap", 3, {Macro::transform_map, 2, false}},
                                            {"transformMap", 4, {Macro::transform_map, 2, true}},
                                            {"transformMapEntry", 3, {Macro::transform_map_entry, 2, false}},
                                            {"transformMapEntry", 4, {Macro::transform_map_entry, 2, true}}}};
  for (const Form& form : kForms) {
    if (form.name == name && form.arguments == arguments) return form.shape;
  }
  return std::nullopt;
}

// Of the call whose parenthesis is next.
std::size_t Parser::count_arguments() const {
  std::size_t depth = 0;
  std::size_t commas = 0;
  for (std::size_t i = position_; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.is("(") || token.is("[") || token.is("{")) ++depth;
    if (token.is(",") && depth == 1) ++commas;
    if ((token.is(")") || token.is("]") || token.is("}")) && --depth == 0)
      return i == position_ + 1 ? 0 : commas + 1;
  }
  return 0;
}

std::expected<std::string, CompileError> Parser::parse_macro_variable() {
  if (peek().kind != TokenKind::identifier || is_reserved_word(peek().text) || !peek(1).is(",")) {
    return error_here("expected the name of a macro's variable");
  }
  Token name = take();
  take();  // the comma
  return std::move(name.text);
}

Parser::Parsed Parser::parse_macro(NodeIndex source, const MacroShape& shape, std::size_t offset) {
  take();  // the parenthesis
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shape.variables; ++i) {
    std::size_t at = peek().offset;
    auto name = parse_macro_variable();
    if (!name) return std::unexpected(std::move(name.error()));
    if (!names.empty() && names.front() == *name) {
      return std::unexpected(CompileError{at, "the variables of a macro need different names"});
    }
    names.push_back(std::move(*name));
  }
  auto slot = [&](std::size_t i) { return Slot(static_cast<std::uint32_t>(variables_.size() + i)); };
  MacroNode node{shape.macro, source, slot(0), std::nullopt, std::nullopt, source};
  if (shape.variables == 2) node.second = slot(1);
  variables_.insert(variables_.end(), names.begin(), names.end());
  ast_.slots = std::max(ast_.slots, variables_.size());
  std::vector<NodeIndex> children = {source};
  for (std::size_t i = shape.condition ? 0 : 1; i < 2; ++i) {
    Parsed part = parse_expression();
    if (!part) return part;
    children.push_back(*part);
    auto separator =
        i == 0 ? expect(",", "after the condition of a macro") : expect(")", "to close the macro");
    if (!separator) return std::unexpected(separator.error());
    if (i == 0) node.condition = *part;
    node.body = *part;
  }
  variables_.resize(variables_.size() - names.size());
  return add(std::move(node), children, offset);
}

// has(a.b): the field is there, whatever its value.
Parser::Parsed Parser::parse_has(std::size_t offset) {
  auto arguments = parse_arguments();
  if (!arguments) return std::unexpected(std::move(arguments.error()));
  auto refused = [&] {
    return std::unexpected(CompileError{offset, "has() takes one field selection: has(a.b)"});
  };
  if (arguments->size() != 1) return refused();
  NodeIndex argument = arguments->front();
  Node& selected = ast_.nodes[argument.value()];
  if (const SelectNode* select = std::get_if<SelectNode>(&selected)) {
    PresenceNode node{select->operand, select->field, {}};
    return add(std::move(node), std::array{argument}, offset);
  }
  NameNode* name = std::get_if<NameNode>(&selected);
  if (!name || name->path.size() < 2) return refused();
  PresenceNode node{argument, name->path.back(),
                    qualified_names(name->path, name->absolute, options_.container)};
  name->path.pop_back();
  return add(std::move(node), std::array{argument}, offset);
}

}  // namespace ganglion::expr

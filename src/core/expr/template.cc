#include "core/expr/template.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "base/json_text.h"
#include "core/expr/functions.h"
#include "core/expr/lexer.h"
#include "core/expr/meter.h"
#include "core/expr/utf8.h"

namespace ganglion::expr {

// A part of an interpolated text, or a bare expression, with where its source stands in the text.
struct Expression {
  Program program;
  std::size_t offset;
};
using Part = std::variant<std::string, Expression>;

struct Template::Node {
  struct List {
    std::vector<Template> items;
  };
  struct Object {
    std::vector<std::pair<std::string, Template>> members;
  };
  using Shape = std::variant<Payload, Expression, std::vector<Part>, List, Object>;

  Shape shape;
  int height = 1;

  static Template make(Shape shape, int height = 1) {
    return Template(std::make_shared<const Node>(Node{std::move(shape), height}));
  }
  static Result<Value> value_of(const Template& node, const Scope& scope, Meter& meter);
  // The same as JSON, without a value in between where the template's own structure will do.
  static Result<void> append_rendered(const Template& node, const Scope& scope, Meter& meter,
                                      std::size_t max_bytes, std::string& out);
  // Hands every expression under `node` to `visit`, in order.
  template <typename Visit>
  static void for_each_expression(const Template& node, Visit visit);
};

namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

// The offset of the `}}` that closes the expression starting at `at`: not one inside a string, a map or a
// comment.
std::expected<std::size_t, CompileError> find_close(std::string_view text, std::size_t at) {
  Lexer lexer(text, at);
  std::size_t braces = 0;
  while (true) {
    auto token = lexer.next();
    if (!token) return std::unexpected(std::move(token.error()));
    if (token->kind == TokenKind::end)
      return std::unexpected(CompileError{at - kOpen.size(), "'${{' is not closed by '}}'"});
    if (token->is("{")) ++braces;
    if (!token->is("}")) continue;
    if (braces > 0) {
      --braces;
    } else if (text.substr(token->offset).starts_with(kClose)) {
      return token->offset;
    } else {
      return std::unexpected(CompileError{token->offset, "expected '}}'"});
    }
  }
}

std::string_view trimmed(std::string_view text, std::size_t& offset) {
  std::size_t begin = std::min(text.find_first_not_of(" \t\r\n\f"), text.size());
  std::size_t end = text.find_last_not_of(" \t\r\n\f");
  offset += begin;
  return begin == text.size() ? std::string_view() : text.substr(begin, end + 1 - begin);
}

std::expected<Expression, CompileError> compile_at(std::string_view text, std::size_t begin,
                                                   std::size_t end) {
  std::size_t offset = begin;
  std::string_view source = trimmed(text.substr(begin, end - begin), offset);
  if (source.empty())
    return std::unexpected(CompileError{begin, "an expression is missing between '${{' and '}}'"});
  auto program = Program::compile(source);
  if (!program)
    return std::unexpected(CompileError{offset + program.error().offset, program.error().message});
  return Expression{std::move(*program), offset};
}

std::expected<std::vector<Part>, CompileError> split(std::string_view text) {
  std::vector<Part> parts;
  std::string plain;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t open = std::min(text.find(kOpen, at), text.size());
    plain.append(text, at, open - at);
    at = open;
    if (at == text.size()) break;
    if (plain.ends_with('$') && open > 0 && text[open - 1] == '$') {
      plain.append(kOpen.substr(1));
      at += kOpen.size();
      continue;
    }
    auto close = find_close(text, at + kOpen.size());
    if (!close) return std::unexpected(std::move(close.error()));
    auto expression = compile_at(text, at + kOpen.size(), *close);
    if (!expression) return std::unexpected(std::move(expression.error()));
    if (!plain.empty()) parts.emplace_back(std::exchange(plain, {}));
    parts.emplace_back(std::move(*expression));
    at = *close + kClose.size();
  }
  if (!plain.empty()) parts.emplace_back(std::move(plain));
  return parts;
}

Payload string_payload(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return Payload(std::move(json));
}

Result<void> append_interpolated(std::string& out, const Value& value, Meter& meter) {
  if (value.is_null()) return {};
  if (value.is(Kind::list) || value.is(Kind::map)) {
    std::size_t budget =
        static_cast<std::size_t>(std::min<std::uint64_t>(meter.left(), 1U << 30)) * kBytesPerUnit;
    std::size_t before = out.size();
    auto written = value.append_json(out, before + budget);
    if (!written) return written.error().code == "too_large" ? Result<void>(Meter::error()) : written;
    if (!meter.charge_bytes(out.size() - before)) return Meter::error();
    return {};
  }
  Result<Value> text = to_string(value, meter);
  if (!text) return std::unexpected(std::move(text.error()));
  if (!meter.charge_bytes(text->as_string().size())) return Meter::error();
  out.append(text->as_string());
  return {};
}

Result<Value> interpolate(const std::vector<Part>& parts, const Scope& scope, Meter& meter) {
  std::string text;
  for (const Part& part : parts) {
    if (const std::string* plain = std::get_if<std::string>(&part)) {
      if (!meter.charge_bytes(plain->size())) return Meter::error();
      text += *plain;
      continue;
    }
    Result<Value> value = std::get<Expression>(part).program.evaluate(scope, meter);
    if (!value) return value;
    if (auto appended = append_interpolated(text, *value, meter); !appended) {
      return std::unexpected(std::move(appended.error()));
    }
  }
  return Value::string(std::move(text));
}

}  // namespace

Result<Value> Template::Node::value_of(const Template& node, const Scope& scope, Meter& meter) {
  if (!meter.charge(1)) return Meter::error();
  const Shape& shape = node.node_->shape;
  if (const Payload* literal = std::get_if<Payload>(&shape)) return Value::json(*literal);
  if (const Expression* expression = std::get_if<Expression>(&shape))
    return expression->program.evaluate(scope, meter);
  if (const auto* parts = std::get_if<std::vector<Part>>(&shape)) return interpolate(*parts, scope, meter);
  if (const List* list = std::get_if<List>(&shape)) {
    std::vector<Value> items;
    for (const Template& item : list->items) {
      Result<Value> value = value_of(item, scope, meter);
      if (!value) return value;
      items.push_back(std::move(*value));
    }
    return Value::list(std::move(items));
  }
  std::vector<std::pair<std::string, Value>> members;
  for (const auto& [key, member] : std::get<Object>(shape).members) {
    Result<Value> value = value_of(member, scope, meter);
    if (!value) return value;
    members.emplace_back(key, std::move(*value));
  }
  return Value::object(std::move(members));
}

Result<void> Template::Node::append_rendered(const Template& node, const Scope& scope, Meter& meter,
                                             std::size_t max_bytes, std::string& out) {
  const Shape& shape = node.node_->shape;
  if (const List* list = std::get_if<List>(&shape)) {
    char separator = '[';
    for (const Template& item : list->items) {
      out.push_back(std::exchange(separator, ','));
      if (auto added = append_rendered(item, scope, meter, max_bytes, out); !added) return added;
    }
    out.append(list->items.empty() ? "[]" : "]");
    return {};
  }
  if (const Object* object = std::get_if<Object>(&shape)) {
    char separator = '{';
    for (const auto& [key, member] : object->members) {
      out.push_back(std::exchange(separator, ','));
      append_json_string(out, key);
      out.push_back(':');
      if (auto added = append_rendered(member, scope, meter, max_bytes, out); !added) return added;
    }
    out.append(object->members.empty() ? "{}" : "}");
    return {};
  }
  Result<Value> value = value_of(node, scope, meter);
  if (!value) return std::unexpected(std::move(value.error()));
  return value->append_json(out, max_bytes);
}

template <typename Visit>
void Template::Node::for_each_expression(const Template& node, Visit visit) {
  const Shape& shape = node.node_->shape;
  if (const Expression* expression = std::get_if<Expression>(&shape)) visit(*expression);
  if (const auto* parts = std::get_if<std::vector<Part>>(&shape)) {
    for (const Part& part : *parts) {
      if (const Expression* expression = std::get_if<Expression>(&part)) visit(*expression);
    }
  }
  if (const List* list = std::get_if<List>(&shape)) {
    for (const Template& item : list->items) for_each_expression(item, visit);
  }
  if (const Object* object = std::get_if<Object>(&shape)) {
    for (const auto& [key, member] : object->members) for_each_expression(member, visit);
  }
}

Template::Template() : Template(literal(Payload())) {}

Template Template::literal(Payload value) {
  return Node::make(std::move(value));
}

std::expected<Template, CompileError> Template::text(std::string_view text) {
  if (auto invalid = find_invalid_utf8(text)) return std::unexpected(CompileError{*invalid, "invalid UTF-8"});
  auto parts = split(text);
  if (!parts) return std::unexpected(std::move(parts.error()));
  if (parts->empty()) return literal(string_payload(""));
  if (parts->size() == 1) {
    if (const std::string* plain = std::get_if<std::string>(&parts->front()))
      return literal(string_payload(*plain));
    return Node::make(std::move(std::get<Expression>(parts->front())));
  }
  return Node::make(std::move(*parts));
}

Template Template::list(std::vector<Template> items) {
  int height = 0;
  for (const Template& item : items) height = std::max(height, item.node_->height);
  return Node::make(Node::List{std::move(items)}, height + 1);
}

Template Template::object(std::vector<std::pair<std::string, Template>> members) {
  int height = 0;
  for (const auto& [key, member] : members) height = std::max(height, member.node_->height);
  return Node::make(Node::Object{std::move(members)}, height + 1);
}

namespace {

std::unexpected<Error> too_deep() {
  return fail("too_deep", "a template is nested too deeply");
}

}  // namespace

Result<Value> Template::evaluate(const Scope& scope, const Limits& limits) const {
  if (node_->height > kMaxNesting) return too_deep();
  Meter meter(limits);
  return Node::value_of(*this, scope, meter);
}

Result<Payload> Template::render(const Scope& scope, const Limits& limits) const {
  if (const Payload* literal = std::get_if<Payload>(&node_->shape)) return *literal;
  bool structure =
      std::holds_alternative<Node::List>(node_->shape) || std::holds_alternative<Node::Object>(node_->shape);
  if (!structure) {
    Result<Value> value = evaluate(scope, limits);
    if (!value) return std::unexpected(std::move(value.error()));
    return value->to_json(limits.max_result_bytes);
  }
  if (node_->height > kMaxNesting) return too_deep();
  Meter meter(limits);
  std::string out;
  auto rendered = Node::append_rendered(*this, scope, meter, limits.max_result_bytes, out);
  if (!rendered) return std::unexpected(std::move(rendered.error()));
  if (out.size() > limits.max_result_bytes)
    return fail("too_large",
                "the result is larger than " + std::to_string(limits.max_result_bytes) + " bytes");
  return Payload(std::move(out));
}

std::vector<Reference> Template::references() const {
  std::vector<Reference> references;
  Node::for_each_expression(*this, [&](const Expression& expression) {
    for (const Reference& reference : expression.program.references()) {
      references.push_back(Reference{reference.path, expression.offset + reference.offset});
    }
  });
  return references;
}

std::vector<CompileError> Template::warnings() const {
  std::vector<CompileError> warnings;
  Node::for_each_expression(*this, [&](const Expression& expression) {
    for (const CompileError& warning : expression.program.warnings()) {
      warnings.push_back(CompileError{expression.offset + warning.offset, warning.message});
    }
  });
  return warnings;
}

bool Template::is_literal() const {
  bool literal = true;
  Node::for_each_expression(*this, [&](const Expression&) { literal = false; });
  return literal;
}

}  // namespace ganglion::expr

#include "project/expression_reader.h"

#include <string_view>
#include <utility>

#include "base/json_text.h"
#include "core/workflow.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

// The text between `${{` and `}}` of a text that is nothing else, and where it begins.
struct Inside {
  std::string_view source;
  std::size_t offset;
};

std::optional<Inside> single_expression(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  const std::string_view bare = text.substr(first, last - first + 1);
  if (!bare.starts_with(kOpen) || !bare.ends_with(kClose) || bare.size() < kOpen.size() + kClose.size()) {
    return std::nullopt;
  }
  return Inside{bare.substr(kOpen.size(), bare.size() - kOpen.size() - kClose.size()), first + kOpen.size()};
}

}  // namespace

expr::Template ExpressionReader::value(const Field& field) {
  const YamlNode& node = *field.value;
  if (!has_expression(node)) {
    auto json = read_json(field, diagnostics_);
    if (json && json->size() > kMaxPayload) {
      diagnostics_.add(field.position, field.path,
                       "larger than " + std::to_string(kMaxPayload) + " bytes as JSON");
      return {};
    }
    return json ? expr::Template::literal(Payload(std::move(*json))) : expr::Template();
  }
  if (node.kind == YamlKind::text) return text(field);
  if (node.kind == YamlKind::list) {
    std::vector<expr::Template> items;
    for (std::size_t i = 0; i < node.items.size(); ++i) items.push_back(value(field.item(i)));
    return expr::Template::list(std::move(items));
  }
  std::vector<std::pair<std::string, expr::Template>> members;
  for (const YamlEntry& entry : node.entries) {
    const Field member{field.path + "." + entry.key, entry.position, &entry.value};
    if (entry.key.find(kOpen) != std::string::npos) {
      diagnostics_.add(entry.position, field.path, "expressions are not evaluated in keys");
    }
    members.emplace_back(entry.key, value(member));
  }
  return expr::Template::object(std::move(members));
}

expr::Template ExpressionReader::text(const Field& field) {
  auto compiled = expr::Template::text(field.value->text);
  if (!compiled) {
    diagnostics_.add_inside(field, compiled.error().offset, compiled.error().message);
    return {};
  }
  for (const auto& warning : compiled->warnings())
    diagnostics_.add_inside(field, warning.offset, warning.message);
  for (const auto& reference : compiled->references()) check_(field, reference, reference.offset);
  return std::move(*compiled);
}

std::optional<expr::Program> ExpressionReader::condition(const Field& field) {
  const YamlNode& node = *field.value;
  const auto inside = node.kind == YamlKind::text ? single_expression(node.text) : std::nullopt;
  if (!inside && node.kind != YamlKind::boolean) {
    std::string message = "expected true, false or one expression in ${{ … }}, got " + describe(node);
    const bool bare = node.kind == YamlKind::text && !has_expression(node) && node.text.size() <= 60;
    if (bare && expr::Program::compile(node.text)) message += "; did you mean \"${{ " + node.text + " }}\"?";
    diagnostics_.add(field.position, field.path, std::move(message));
    return std::nullopt;
  }
  auto program = expr::Program::compile(inside ? inside->source : boolean_of(node) ? "true" : "false");
  const std::size_t start = inside ? inside->offset : 0;
  if (!program) {
    diagnostics_.add_inside(field, start + program.error().offset, program.error().message);
    return std::nullopt;
  }
  for (const auto& warning : program->warnings())
    diagnostics_.add_inside(field, start + warning.offset, warning.message);
  for (const auto& reference : program->references()) {
    check_(field, reference, start + reference.offset);
  }
  return std::move(*program);
}

std::optional<expr::Template> ExpressionReader::list(const Field& field) {
  const YamlNode& node = *field.value;
  if (node.kind != YamlKind::list && (node.kind != YamlKind::text || !single_expression(node.text))) {
    diagnostics_.add(field.position, field.path,
                     "expected a list or one expression in ${{ … }} that gives one, got " + describe(node));
    return std::nullopt;
  }
  if (node.items.size() > kMaxMapItems) {
    diagnostics_.add(field.position, field.path, "more than " + std::to_string(kMaxMapItems) + " items");
    return std::nullopt;
  }
  return value(field);
}

expr::Template ExpressionReader::duration(const Field& field) {
  if (has_expression(*field.value) && field.value->kind == YamlKind::text) return text(field);
  const auto duration = read_duration(field, diagnostics_);
  if (!duration) return {};
  std::string json;
  append_json_string(json, field.value->text);
  return expr::Template::literal(Payload(std::move(json)));
}

}  // namespace ganglion::project

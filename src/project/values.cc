#include "project/values.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/json_text.h"
#include "core/workflow.h"

namespace ganglion::project {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";

// The numbers that are written alike in both.
bool is_json_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  return text.size() == 1 || text.front() != '0';
}

bool append_number(const YamlNode& node, std::string& out) {
  if (node.kind == YamlKind::integer && is_json_integer(node.text)) {
    out += node.text;
    return true;
  }
  if (const auto integer = integer_of(node); node.kind == YamlKind::integer && integer) {
    out += std::to_string(*integer);
    return true;
  }
  const double number = number_of(node);
  if (!std::isfinite(number)) return false;
  std::array<char, 32> buffer;
  out.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr);
  return true;
}

bool append_json(const Field& field, std::string& out, Diagnostics& diagnostics) {
  const YamlNode& node = *field.value;
  switch (node.kind) {
    case YamlKind::null:
      out += "null";
      return true;
    case YamlKind::boolean:
      out += boolean_of(node) ? "true" : "false";
      return true;
    case YamlKind::integer:
    case YamlKind::number:
      if (append_number(node, out)) return true;
      diagnostics.add(field.position, field.path, "JSON has no form for " + node.text.substr(0, 40));
      return false;
    case YamlKind::text:
      append_json_string(out, node.text);
      return true;
    case YamlKind::list: {
      out += '[';
      bool good = true;
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) out += ',';
        good &= append_json(field.item(i), out, diagnostics);
      }
      out += ']';
      return good;
    }
    case YamlKind::map: {
      out += '{';
      bool good = true;
      for (const YamlEntry& entry : node.entries) {
        if (&entry != &node.entries.front()) out += ',';
        append_json_string(out, entry.key);
        out += ':';
        good &= append_json({field.path + "." + entry.key, entry.position, &entry.value}, out, diagnostics);
      }
      out += '}';
      return good;
    }
  }
  return false;
}

bool has_expression(const YamlNode& node) {
  if (node.kind == YamlKind::text) return node.text.find(kOpen) != std::string::npos;
  const auto entry_has = [](const YamlEntry& entry) {
    return entry.key.find(kOpen) != std::string::npos || has_expression(entry.value);
  };
  return std::ranges::any_of(node.items, has_expression) || std::ranges::any_of(node.entries, entry_has);
}

// Where a JSON pointer leads: the deepest field on its way that there is.
Field follow(Field field, std::string_view pointer) {
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    std::string step(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(step.size());
    for (const auto& [escape, meant] : {std::pair("~1", "/"), std::pair("~0", "~")}) {
      for (std::size_t at = 0; (at = step.find(escape, at)) != std::string::npos; ++at)
        step.replace(at, 2, meant);
    }
    if (field.value->kind == YamlKind::list) {
      const std::size_t index = std::strtoul(step.c_str(), nullptr, 10);
      if (index >= field.value->items.size()) return field;
      field = field.item(index);
    } else if (const YamlEntry* entry = field.value->find(step)) {
      field = {field.path + "." + step, entry->position, &entry->value};
    } else {
      return field;
    }
  }
  return field;
}

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

std::optional<std::string> read_json(const Field& field, Diagnostics& diagnostics) {
  std::string json;
  if (!append_json(field, json, diagnostics)) return std::nullopt;
  return json;
}

std::optional<schema::Schema> read_schema(const Field& field, Diagnostics& diagnostics) {
  const auto text = read_json(field, diagnostics);
  if (!text) return std::nullopt;
  boost::json::parse_options options;
  options.max_depth = kMaxYamlDepth + 1;
  boost::system::error_code error;
  const auto value = boost::json::parse(*text, error, {}, options);
  if (error) {
    diagnostics.add(field.position, field.path, "the schema can't be read as JSON: " + error.message());
    return std::nullopt;
  }
  auto schema = schema::Schema::compile_located(value);
  if (schema) return std::move(*schema);
  const Field culprit = follow(field, schema.error().path);
  diagnostics.add(culprit.position, culprit.path, "not a JSON Schema: " + schema.error().message);
  return std::nullopt;
}

expr::Template Expressions::value(const Field& field, ItemNames item) {
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
  if (node.kind == YamlKind::text) return text(field, item);
  if (node.kind == YamlKind::list) {
    std::vector<expr::Template> items;
    for (std::size_t i = 0; i < node.items.size(); ++i) items.push_back(value(field.item(i), item));
    return expr::Template::list(std::move(items));
  }
  std::vector<std::pair<std::string, expr::Template>> members;
  for (const YamlEntry& entry : node.entries) {
    const Field member{field.path + "." + entry.key, entry.position, &entry.value};
    if (entry.key.find(kOpen) != std::string::npos) {
      diagnostics_.add(entry.position, field.path, "expressions are not evaluated in keys");
    }
    members.emplace_back(entry.key, value(member, item));
  }
  return expr::Template::object(std::move(members));
}

expr::Template Expressions::text(const Field& field, ItemNames item) {
  auto compiled = expr::Template::text(field.value->text);
  if (!compiled) {
    diagnostics_.add_inside(field, compiled.error().offset, compiled.error().message);
    return {};
  }
  for (const auto& warning : compiled->warnings())
    diagnostics_.add_inside(field, warning.offset, warning.message);
  for (const auto& reference : compiled->references()) check(field, reference, reference.offset, item);
  return std::move(*compiled);
}

std::optional<expr::Program> Expressions::condition(const Field& field) {
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
    check(field, reference, start + reference.offset, ItemNames::absent);
  }
  return std::move(*program);
}

std::optional<expr::Template> Expressions::list(const Field& field) {
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
  return value(field, ItemNames::absent);
}

expr::Template Expressions::duration(const Field& field, ItemNames item) {
  if (has_expression(*field.value) && field.value->kind == YamlKind::text) return text(field, item);
  const auto duration = read_duration(field, diagnostics_);
  if (!duration) return {};
  std::string json;
  append_json_string(json, field.value->text);
  return expr::Template::literal(Payload(std::move(json)));
}

void Expressions::check(const Field& field, const expr::Reference& reference, std::size_t offset,
                        ItemNames item) {
  const std::string& name = reference.path.front();
  const auto refuse = [&](std::string message) {
    diagnostics_.add_inside(field, offset, std::move(message));
  };
  if (name == "input") return;
  if (name == "steps") return check_step(field, reference, offset);
  if (name == "item" || name == "index") {
    if (item == ItemNames::absent) refuse("\"" + name + "\" exists only inside a step with for_each");
    return;
  }
  if (name == "run") {
    static const std::vector<std::string> kMembers = {"id", "workflow", "created_at"};
    if (reference.path.size() > 1 && std::ranges::find(kMembers, reference.path[1]) == kMembers.end()) {
      refuse("a run has id, workflow and created_at, and no \"" + reference.path[1] + "\"" +
             did_you_mean(reference.path[1], kMembers));
    }
    return;
  }
  if (name == "session" || name == "state" || name == "event") {
    return refuse(not_available("\"" + name + "\""));
  }
  if (name == "secrets") return refuse("secrets may stand only in the url and headers of an http agent");
  std::vector<std::string> known = {"input", "steps", "run"};
  if (item == ItemNames::present) known.insert(known.end(), {"item", "index"});
  if (steps_.contains(name)) {
    return refuse("no name \"" + name + "\"; did you mean \"steps." + name + ".output\"?");
  }
  refuse("no name \"" + name + "\" here" + did_you_mean(name, known));
}

void Expressions::check_step(const Field& field, const expr::Reference& reference, std::size_t offset) {
  const auto refuse = [&](std::string message) {
    diagnostics_.add_inside(field, offset, std::move(message));
  };
  if (reference.path.size() < 2) {
    return refuse(
        "which step is meant must be readable from the file: write steps.NAME.output or "
        "steps[\"NAME\"].output, not a computed name");
  }
  const std::string& name = reference.path[1];
  const auto step = steps_.find(name);
  if (step == steps_.end()) {
    return refuse("no step \"" + name + "\"" + diagnostics_.nearest(name, steps_));
  }
  mentioned_.emplace(step->second, field.value->position);
  static const std::vector<std::string> kMembers = {"output", "error", "status"};
  if (reference.path.size() > 2 && std::ranges::find(kMembers, reference.path[2]) == kMembers.end()) {
    // A misspelt member, or one of the output's that was meant to be.
    const std::string& member = reference.path[2];
    std::string meant = did_you_mean(member, kMembers);
    if (meant.empty()) meant = "; did you mean \"steps." + name + ".output." + member + "\"?";
    refuse("a step has output, error and status, and no \"" + member + "\"" + meant);
  }
}

}  // namespace ganglion::project

#include "project/values.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "base/json_text.h"

namespace ganglion::project {
namespace {

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

}  // namespace

bool has_expression(const YamlNode& node) {
  if (node.kind == YamlKind::text) return node.text.find("${{") != std::string::npos;
  const auto entry_has = [](const YamlEntry& entry) {
    return entry.key.find("${{") != std::string::npos || has_expression(entry.value);
  };
  return std::ranges::any_of(node.items, has_expression) || std::ranges::any_of(node.entries, entry_has);
}

Field field_at(Field field, std::string_view pointer) {
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
  const Field culprit = field_at(field, schema.error().path);
  diagnostics.add(culprit.position, culprit.path, "not a JSON Schema: " + schema.error().message);
  return std::nullopt;
}

}  // namespace ganglion::project

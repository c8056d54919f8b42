#include "core/schema/compiler.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <charconv>

#include "core/schema/keyword.h"
#include "core/schema/uri.h"

namespace ganglion::schema {
namespace {

namespace json = boost::json;

constexpr std::string_view kDialect = "https://json-schema.org/draft/2020-12/schema";

// A name that `$anchor` allows: no character that would read as a pointer or need escaping.
bool is_anchor(std::string_view text) {
  const auto starts = [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; };
  const auto goes_on = [&](unsigned char c) {
    return starts(c) || std::isdigit(c) != 0 || c == '-' || c == '.';
  };
  return !text.empty() && starts(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, goes_on);
}

// The inverse of escaped(): one step of a JSON pointer.
std::string unescaped(std::string_view step) {
  std::string out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1')) {
      out += step[++i] == '0' ? '~' : '/';
    } else {
      out += step[i];
    }
  }
  return out;
}

const json::value* child_of(const json::value& value, std::string_view step) {
  if (const auto* object = value.if_object()) return object->if_contains(unescaped(step));
  if (const auto* array = value.if_array()) {
    std::size_t position = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), position);
    if (error != std::errc() || end != step.data() + step.size()) return nullptr;
    return position < array->size() ? &(*array)[position] : nullptr;
  }
  return nullptr;
}

}  // namespace

std::expected<CompiledSchema, Violation> Compiler::run(const json::value& schema) {
  resources_.push_back({"", "", &schema, NodeIndex(0)});
  by_uri_.emplace("", ResourceIndex(0));
  compiled_.root = compile_node({schema, "", ResourceIndex(0), 0});
  // Resolving may compile more subschemas, which may add more references.
  for (std::size_t i = 0; i < pending_.size() && !defect_; ++i) resolve(PendingReference(pending_[i]));
  if (defect_) return std::unexpected(std::move(*defect_));
  return std::move(compiled_);
}

NodeIndex Compiler::compile_node(Place place) {
  const NodeIndex index(static_cast<std::uint32_t>(compiled_.nodes.size()));
  compiled_.nodes.emplace_back();
  by_pointer_.emplace(place.pointer, index);
  if (defect_) return index;
  if (place.depth > kMaxSchemaDepth) {
    reject(place.pointer, "the schema nests more than " + std::to_string(kMaxSchemaDepth) + " levels deep");
    return index;
  }
  std::vector<Rule> rules;
  if (const auto* object = place.schema.if_object()) {
    identify(place, index, *object);
    compile_references(place, index, *object);
    compile_assertions(place, *object, rules);
    compile_numbers(place, *object, rules);
    compile_sizes(place, *object, rules);
    compile_objects(place, *object, rules);
    compile_properties(place, *object, rules);
    compile_arrays(place, *object, rules);
    compile_branches(place, *object, rules);
    compile_unevaluated(place, *object, rules);
  } else if (place.schema == json::value(false)) {
    rules.emplace_back(NeverRule{});
  } else if (!place.schema.is_bool()) {
    reject(place.pointer, "a schema is an object, true or false");
  }
  // By index: compiling children has moved the table.
  Node& node = compiled_.nodes[index.value()];
  node.resource = place.resource;
  for (Rule& rule : rules) {
    node.needs_evaluated |= std::holds_alternative<UnevaluatedItemsRule>(rule) ||
                            std::holds_alternative<UnevaluatedPropertiesRule>(rule);
    node.rules.push_back(std::move(rule));
  }
  return index;
}

NodeIndex Compiler::compile_child(const Keyword& keyword, const json::value& schema, std::string_view step) {
  std::string pointer = keyword.pointer;
  if (!step.empty()) pointer.append("/").append(step);
  return compile_node({schema, std::move(pointer), keyword.place.resource, keyword.place.depth + 1});
}

std::vector<NodeIndex> Compiler::compile_list(const Keyword& keyword) {
  std::vector<NodeIndex> nodes;
  const auto* array = keyword.value.if_array();
  if (array == nullptr || array->empty()) {
    reject(keyword.pointer, "must be a list of at least one schema");
    return nodes;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    nodes.push_back(compile_child(keyword, (*array)[i], std::to_string(i)));
  }
  return nodes;
}

std::vector<std::pair<std::string, NodeIndex>> Compiler::compile_map(const Keyword& keyword) {
  std::vector<std::pair<std::string, NodeIndex>> nodes;
  const auto* object = keyword.value.if_object();
  if (object == nullptr) {
    reject(keyword.pointer, "must be an object of schemas");
    return nodes;
  }
  for (const auto& member : *object) {
    // An empty name is a step too: "/".
    const Keyword named{keyword.place, keyword.pointer + "/" + escaped(view(member)), member.value()};
    nodes.emplace_back(view(member), compile_child(named, member.value()));
  }
  return nodes;
}

void Compiler::identify(Place& place, NodeIndex node, const json::object& schema) {
  if (const auto dialect = find(place, schema, "$schema")) {
    const auto* text = dialect->value.if_string();
    if (text == nullptr || std::string_view(text->data(), text->size()) != kDialect) {
      reject(dialect->pointer, "only \"" + std::string(kDialect) + "\" is supported");
    }
  }
  if (const auto id = find(place, schema, "$id")) {
    const auto* text = id->value.if_string();
    const auto uri = text == nullptr ? std::nullopt
                                     : resolve_uri(resources_[place.resource.value()].uri,
                                                   std::string_view(text->data(), text->size()));
    if (!uri || !uri->fragment.empty()) {
      reject(id->pointer, "must be a URI without a fragment");
      return;
    }
    const ResourceIndex resource(static_cast<std::uint32_t>(resources_.size()));
    if (!by_uri_.emplace(uri->location, resource).second && place.depth > 0) {
      reject(id->pointer, "another schema of this document has the same $id");
      return;
    }
    resources_.push_back({uri->location, place.pointer, &place.schema, node});
    place.resource = resource;
  }
  name_anchor(place, node, schema, "$anchor");
  name_anchor(place, node, schema, "$dynamicAnchor");
}

void Compiler::name_anchor(const Place& place, NodeIndex node, const json::object& schema,
                           std::string_view keyword) {
  const auto anchor = find(place, schema, keyword);
  if (!anchor) return;
  const auto* text = anchor->value.if_string();
  if (text == nullptr || !is_anchor({text->data(), text->size()})) {
    reject(anchor->pointer, "must be a name: letters, digits, '-', '_' and '.', a letter or '_' first");
    return;
  }
  const auto key = std::pair(place.resource, std::string(text->data(), text->size()));
  const auto [known, is_new] = anchors_.emplace(key, node);
  if (!is_new && known->second != node) reject(anchor->pointer, "another schema has the same anchor");
  if (keyword == "$dynamicAnchor") compiled_.dynamic_anchors.emplace(key, node);
}

void Compiler::compile_references(const Place& place, NodeIndex node, const json::object& schema) {
  for (const auto& [name, kind] :
       {std::pair("$ref", ReferenceKind::plain), std::pair("$dynamicRef", ReferenceKind::dynamic)}) {
    const auto keyword = find(place, schema, name);
    if (!keyword) continue;
    const auto* text = keyword->value.if_string();
    if (text == nullptr) {
      reject(keyword->pointer, "must be a URI reference");
      continue;
    }
    auto& rules = compiled_.nodes[node.value()].rules;
    rules.emplace_back(ReferenceRule{node});
    compiled_.nodes[node.value()].resource = place.resource;
    pending_.push_back(
        {node, rules.size() - 1, kind, std::string(text->data(), text->size()), keyword->pointer});
  }
}

void Compiler::resolve(const PendingReference& reference) {
  const ResourceIndex from = compiled_.at(reference.node).resource;
  const auto uri = resolve_uri(resources_[from.value()].uri, reference.text);
  if (!uri) return reject(reference.pointer, "must be a URI reference");
  const auto found = by_uri_.find(uri->location);
  if (found == by_uri_.end()) {
    return reject(
        reference.pointer,
        "\"" + reference.text + "\" is not in this document; schemas can't refer to other documents");
  }
  const ResourceIndex resource = found->second;
  std::optional<NodeIndex> target;
  std::string dynamic_anchor;
  if (uri->fragment.empty() || uri->fragment.starts_with('/')) {
    target = node_at_pointer(Resource(resources_[resource.value()]), uri->fragment);
  } else if (const auto anchor = anchors_.find({resource, uri->fragment}); anchor != anchors_.end()) {
    target = anchor->second;
    if (compiled_.dynamic_anchors.contains({resource, uri->fragment})) dynamic_anchor = uri->fragment;
  }
  if (!target) return reject(reference.pointer, "\"" + reference.text + "\" leads nowhere in this document");
  Rule& rule = compiled_.nodes[reference.node.value()].rules[reference.rule];
  if (reference.kind == ReferenceKind::dynamic) {
    rule = DynamicReferenceRule{*target, dynamic_anchor};
  } else {
    rule = ReferenceRule{*target};
  }
}

std::optional<NodeIndex> Compiler::node_at_pointer(const Resource& resource, std::string_view pointer) {
  std::string reached = resource.pointer;
  const json::value* value = resource.root;
  ResourceIndex owner = compiled_.at(resource.node).resource;
  std::size_t depth = 0;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    value = child_of(*value, step);
    if (value == nullptr) return std::nullopt;
    reached.append("/").append(step);
    ++depth;
    if (const auto known = by_pointer_.find(reached); known != by_pointer_.end()) {
      owner = compiled_.at(known->second).resource;
    }
  }
  if (const auto known = by_pointer_.find(reached); known != by_pointer_.end()) return known->second;
  return compile_node({*value, reached, owner, depth});
}

void Compiler::reject(std::string pointer, std::string message) {
  if (!defect_) defect_ = Violation{std::move(pointer), std::move(message)};
}

}  // namespace ganglion::schema

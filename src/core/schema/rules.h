#pragma once

// A compiled schema: a flat table of nodes, each a list of rules in the order in which they are to be
// checked. Keywords that only mean something together (`properties`, `patternProperties`,
// `additionalProperties`) are one rule.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/strong_id.h"
#include "core/schema/number.h"
#include "core/schema/pattern.h"

namespace ganglion::schema {

using NodeIndex = StrongId<struct NodeIndexTag, std::uint32_t>;
// A part of the document with its own base URI: the document itself, and every subschema with an `$id`.
using ResourceIndex = StrongId<struct ResourceIndexTag, std::uint32_t>;

enum class Edge { minimum, maximum };
enum class Closed { inclusive, exclusive };
enum class Sized { string, array, object };

struct TypeRule {
  std::vector<std::string> names;
};
// `enum`, and `const` as an `enum` of one.
struct EnumRule {
  std::vector<std::string> canonical;  // sorted
  std::string shown;                   // the choices for a message, shortened
};
struct NumberRule {
  Edge edge;
  Closed closed;
  Real limit;
  std::string shown;
};
struct MultipleRule {
  Decimal divisor;
  std::string shown;
};
struct SizeRule {
  Sized sized;
  Edge edge;
  Real limit;
};
struct PatternRule {
  Pattern pattern;
};
struct UniqueRule {};
struct RequiredRule {
  std::vector<std::string> names;
};
struct DependentRequiredRule {
  std::vector<std::pair<std::string, std::vector<std::string>>> names;
};
struct PropertyNamesRule {
  NodeIndex node;
};
struct PropertiesRule {
  std::map<std::string, NodeIndex, std::less<>> named;
  std::vector<std::pair<Pattern, NodeIndex>> patterns;
  std::optional<NodeIndex> additional;
};
struct ItemsRule {
  std::vector<NodeIndex> prefix;
  std::optional<NodeIndex> rest;
};
struct ContainsRule {
  NodeIndex node;
  Real minimum;
  std::optional<Real> maximum;
};
struct AllOfRule {
  std::vector<NodeIndex> nodes;
};
struct AnyOfRule {
  std::vector<NodeIndex> nodes;
};
struct OneOfRule {
  std::vector<NodeIndex> nodes;
};
struct NotRule {
  NodeIndex node;
};
struct ConditionalRule {
  NodeIndex condition;
  std::optional<NodeIndex> then_node;
  std::optional<NodeIndex> else_node;
};
struct DependentSchemasRule {
  std::vector<std::pair<std::string, NodeIndex>> nodes;
};
struct ReferenceRule {
  NodeIndex target;
};
// Leads to the outermost resource being evaluated that has the anchor, else to `target`.
struct DynamicReferenceRule {
  NodeIndex target;
  std::string anchor;  // empty where the target is not a dynamic anchor: then it is a plain reference
};
struct NeverRule {};  // the schema `false`
struct UnevaluatedItemsRule {
  NodeIndex node;
};
struct UnevaluatedPropertiesRule {
  NodeIndex node;
};

using Rule = std::variant<TypeRule, EnumRule, NumberRule, MultipleRule, SizeRule, PatternRule, UniqueRule,
                          RequiredRule, DependentRequiredRule, PropertyNamesRule, PropertiesRule, ItemsRule,
                          ContainsRule, AllOfRule, AnyOfRule, OneOfRule, NotRule, ConditionalRule,
                          DependentSchemasRule, ReferenceRule, DynamicReferenceRule, NeverRule,
                          UnevaluatedItemsRule, UnevaluatedPropertiesRule>;

struct Node {
  ResourceIndex resource;
  std::vector<Rule> rules;
  bool needs_evaluated = false;  // has an `unevaluated…` rule
};

struct CompiledSchema {
  std::vector<Node> nodes;
  NodeIndex root;
  std::map<std::pair<ResourceIndex, std::string>, NodeIndex> dynamic_anchors;

  const Node& at(NodeIndex index) const { return nodes[index.value()]; }
};

}  // namespace ganglion::schema

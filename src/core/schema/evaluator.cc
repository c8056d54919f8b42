#include "core/schema/evaluator.h"

#include <algorithm>
#include <boost/json.hpp>
#include <set>

namespace ganglion::schema {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownLength = 60;

std::string quoted(std::string_view text) {
  std::string shown = json::serialize(json::string(text.substr(0, kShownLength)));
  if (text.size() > kShownLength) shown += "…";
  return shown;
}

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::int64:
    case json::kind::uint64:
      return "integer";
    case json::kind::double_:
      return is_integer(value) ? "integer" : "number";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
  }
  return "";
}

bool has_type(const json::value& value, std::string_view name) {
  if (name == "number") return value.is_number();
  return type_name(value) == name;
}

// Unicode code points, as the specification counts.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

std::string count_text(Real number, std::string_view noun) {
  std::string text = std::to_string(static_cast<std::uint64_t>(number));
  text.append(" ").append(noun);
  if (number != 1) text += noun.ends_with("y") ? "" : "s";
  if (noun == "property" && number != 1) text.replace(text.size() - 1, 1, "ies");
  return text;
}

void merge(std::vector<bool>* into, const std::vector<bool>& marks) {
  if (into == nullptr) return;
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (marks[i]) (*into)[i] = true;
  }
}

void mark(std::vector<bool>* evaluated, std::size_t position) {
  if (evaluated != nullptr) (*evaluated)[position] = true;
}

std::size_t child_count(const json::value& value) {
  if (const auto* array = value.if_array()) return array->size();
  if (const auto* object = value.if_object()) return object->size();
  return 0;
}

std::string_view view(const json::key_value_pair& member) {
  return {member.key().data(), member.key().size()};
}

}  // namespace

std::vector<Violation> Evaluator::run(const json::value& instance) {
  check(schema_.root, instance, nullptr);
  if (!exhausted_.empty()) return {Violation{"", exhausted_}};
  return std::move(violations_);
}

bool Evaluator::check(NodeIndex index, const json::value& instance, Evaluated* evaluated) {
  if (!exhausted_.empty()) return false;
  if (depth_ >= kMaxEvaluationDepth) {
    exhausted_ = "the value can't be checked: its schema applies itself more than " +
                 std::to_string(kMaxEvaluationDepth) + " levels deep";
    return false;
  }
  if (++evaluations_ > kMaxEvaluations) {
    exhausted_ = "the value can't be checked: that would take more than " + std::to_string(kMaxEvaluations) +
                 " applications of a subschema";
    return false;
  }
  const Node& node = schema_.at(index);
  Evaluated own;
  if (node.needs_evaluated && evaluated == nullptr) {
    own.resize(child_count(instance));
    evaluated = &own;
  }
  const bool enters_resource = scope_.empty() || scope_.back() != node.resource;
  if (enters_resource) scope_.push_back(node.resource);
  ++depth_;
  bool valid = true;
  for (const Rule& rule : node.rules) {
    valid &= std::visit([&](const auto& each) { return apply(each, instance, evaluated); }, rule);
    if (!valid && silent()) break;
  }
  --depth_;
  if (enters_resource) scope_.pop_back();
  return valid;
}

bool Evaluator::check_child(NodeIndex node, Step step, const json::value& instance) {
  path_.push_back(step);
  const bool valid = check(node, instance, nullptr);
  path_.pop_back();
  return valid;
}

bool Evaluator::check_branch(NodeIndex node, const json::value& instance, Evaluated* evaluated,
                             Report report) {
  const std::size_t quiet = report == Report::nothing ? 1 : 0;
  silence_ += quiet;
  bool valid = false;
  if (evaluated == nullptr) {
    valid = check(node, instance, nullptr);
  } else {
    Evaluated marks(evaluated->size());
    valid = check(node, instance, &marks);
    if (valid) merge(evaluated, marks);
  }
  silence_ -= quiet;
  return valid;
}

bool Evaluator::violated(std::string message) {
  if (!silent()) violations_.push_back({path(), std::move(message)});
  return false;
}

std::string Evaluator::path() const {
  std::string out;
  for (const Step& step : path_) {
    out += '/';
    if (const auto* position = std::get_if<std::size_t>(&step)) {
      out += std::to_string(*position);
      continue;
    }
    for (const char c : std::get<std::string_view>(step)) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
  }
  return out;
}

bool Evaluator::apply(const TypeRule& rule, const json::value& instance, Evaluated*) {
  if (std::ranges::any_of(rule.names, [&](const auto& name) { return has_type(instance, name); }))
    return true;
  return violated("must be " + joined(rule.names) + ", is " + std::string(type_name(instance)));
}

bool Evaluator::apply(const EnumRule& rule, const json::value& instance, Evaluated*) {
  if (std::ranges::binary_search(rule.canonical, canonical(instance))) return true;
  return violated("must be " + rule.shown);
}

bool Evaluator::apply(const NumberRule& rule, const json::value& instance, Evaluated*) {
  const auto number = number_of(instance);
  if (!number || (rule.closed == Closed::inclusive && *number == rule.limit)) return true;
  if (rule.edge == Edge::minimum ? *number > rule.limit : *number < rule.limit) return true;
  const std::string_view relation = rule.edge == Edge::minimum
                                        ? (rule.closed == Closed::inclusive ? "at least " : "more than ")
                                        : (rule.closed == Closed::inclusive ? "at most " : "less than ");
  return violated("must be " + std::string(relation) + rule.shown);
}

bool Evaluator::apply(const MultipleRule& rule, const json::value& instance, Evaluated*) {
  if (!instance.is_number()) return true;
  const auto decimal = decimal_of(instance);
  if (decimal && is_multiple(*decimal, rule.divisor)) return true;
  return violated("must be a multiple of " + rule.shown);
}

bool Evaluator::apply(const SizeRule& rule, const json::value& instance, Evaluated*) {
  std::size_t size = 0;
  std::string_view noun;
  if (const auto* text = instance.if_string(); text != nullptr && rule.sized == Sized::string) {
    size = length_of(std::string_view(text->data(), text->size()));
    noun = "character";
  } else if (instance.is_array() && rule.sized == Sized::array) {
    size = child_count(instance);
    noun = "item";
  } else if (instance.is_object() && rule.sized == Sized::object) {
    size = child_count(instance);
    noun = "property";
  } else {
    return true;
  }
  const auto measured = static_cast<Real>(size);
  if (rule.edge == Edge::minimum ? measured >= rule.limit : measured <= rule.limit) return true;
  return violated((rule.edge == Edge::minimum ? "must have at least " : "must have at most ") +
                  count_text(rule.limit, noun) + ", has " + std::to_string(size));
}

bool Evaluator::apply(const PatternRule& rule, const json::value& instance, Evaluated*) {
  const auto* text = instance.if_string();
  if (text == nullptr || rule.pattern.found_in({text->data(), text->size()})) return true;
  return violated("must match the pattern " + quoted(rule.pattern.text()));
}

bool Evaluator::apply(const UniqueRule&, const json::value& instance, Evaluated*) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (!seen.insert(canonical((*array)[i])).second) {
      return violated("must have no equal items; item " + std::to_string(i) + " was there before");
    }
  }
  return true;
}

bool Evaluator::apply(const RequiredRule& rule, const json::value& instance, Evaluated*) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const std::string& name : rule.names) {
    if (!object->contains(name)) valid = violated(quoted(name) + " is missing");
  }
  return valid;
}

bool Evaluator::apply(const DependentRequiredRule& rule, const json::value& instance, Evaluated*) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [trigger, names] : rule.names) {
    if (!object->contains(trigger)) continue;
    for (const std::string& name : names) {
      if (!object->contains(name)) {
        valid = violated(quoted(name) + " is missing; " + quoted(trigger) + " needs it");
      }
    }
  }
  return valid;
}

bool Evaluator::apply(const PropertyNamesRule& rule, const json::value& instance, Evaluated*) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& member : *object) {
    const json::value name(member.key());
    if (!check_branch(rule.node, name, nullptr, Report::nothing)) {
      valid = violated("the name " + quoted(view(member)) + " is not allowed here");
    }
  }
  return valid;
}

bool Evaluator::apply(const PropertiesRule& rule, const json::value& instance, Evaluated* evaluated) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  std::size_t position = 0;
  for (const auto& member : *object) {
    const std::string_view name = view(member);
    bool known = false;
    if (const auto found = rule.named.find(name); found != rule.named.end()) {
      known = true;
      valid &= check_child(found->second, name, member.value());
    }
    for (const auto& [pattern, node] : rule.patterns) {
      if (!pattern.found_in(name)) continue;
      known = true;
      valid &= check_child(node, name, member.value());
    }
    if (!known && rule.additional) {
      known = true;
      valid &= check_child(*rule.additional, name, member.value());
    }
    if (known) mark(evaluated, position);
    if (!valid && silent()) return false;
    ++position;
  }
  return valid;
}

bool Evaluator::apply(const ItemsRule& rule, const json::value& instance, Evaluated* evaluated) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  bool valid = true;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (i >= rule.prefix.size() && !rule.rest) break;
    valid &= check_child(i < rule.prefix.size() ? rule.prefix[i] : *rule.rest, i, (*array)[i]);
    mark(evaluated, i);
    if (!valid && silent()) return false;
  }
  return valid;
}

bool Evaluator::apply(const ContainsRule& rule, const json::value& instance, Evaluated* evaluated) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  std::size_t matches = 0;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (!check_branch(rule.node, (*array)[i], nullptr, Report::nothing)) continue;
    ++matches;
    mark(evaluated, i);
  }
  const auto counted = static_cast<Real>(matches);
  if (counted < rule.minimum) {
    return violated("must contain at least " + count_text(rule.minimum, "item") +
                    " that \"contains\" describes, has " + std::to_string(matches));
  }
  if (rule.maximum && counted > *rule.maximum) {
    return violated("must contain at most " + count_text(*rule.maximum, "item") +
                    " that \"contains\" describes, has " + std::to_string(matches));
  }
  return true;
}

bool Evaluator::apply(const AllOfRule& rule, const json::value& instance, Evaluated* evaluated) {
  bool valid = true;
  for (const NodeIndex node : rule.nodes) {
    valid &= check_branch(node, instance, evaluated, Report::violations);
    if (!valid && silent()) return false;
  }
  return valid;
}

bool Evaluator::apply(const AnyOfRule& rule, const json::value& instance, Evaluated* evaluated) {
  bool valid = false;
  for (const NodeIndex node : rule.nodes) {
    valid |= check_branch(node, instance, evaluated, Report::nothing);
    // Later branches matter only for the marks that they leave.
    if (valid && evaluated == nullptr) return true;
  }
  if (valid) return true;
  if (rule.nodes.size() == 1) return check_branch(rule.nodes.front(), instance, nullptr, Report::violations);
  return violated("must be valid under one of the " + std::to_string(rule.nodes.size()) +
                  " alternatives of \"anyOf\"");
}

bool Evaluator::apply(const OneOfRule& rule, const json::value& instance, Evaluated* evaluated) {
  std::size_t matches = 0;
  for (const NodeIndex node : rule.nodes) {
    if (check_branch(node, instance, evaluated, Report::nothing)) ++matches;
    if (matches > 1) break;
  }
  if (matches == 1) return true;
  return violated("must be valid under exactly one of the " + std::to_string(rule.nodes.size()) +
                  " alternatives of \"oneOf\", is under " + (matches == 0 ? "none" : "more than one"));
}

bool Evaluator::apply(const NotRule& rule, const json::value& instance, Evaluated*) {
  // The branch gets marks of its own where it needs them; none of them may reach us.
  if (!check_branch(rule.node, instance, nullptr, Report::nothing)) return true;
  return violated("must not be what \"not\" describes");
}

bool Evaluator::apply(const ConditionalRule& rule, const json::value& instance, Evaluated* evaluated) {
  const bool condition = check_branch(rule.condition, instance, evaluated, Report::nothing);
  const auto& branch = condition ? rule.then_node : rule.else_node;
  return !branch || check_branch(*branch, instance, evaluated, Report::violations);
}

bool Evaluator::apply(const DependentSchemasRule& rule, const json::value& instance, Evaluated* evaluated) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  for (const auto& [name, node] : rule.nodes) {
    if (object->contains(name)) valid &= check_branch(node, instance, evaluated, Report::violations);
  }
  return valid;
}

bool Evaluator::apply(const ReferenceRule& rule, const json::value& instance, Evaluated* evaluated) {
  return check_branch(rule.target, instance, evaluated, Report::violations);
}

bool Evaluator::apply(const DynamicReferenceRule& rule, const json::value& instance, Evaluated* evaluated) {
  NodeIndex target = rule.target;
  if (!rule.anchor.empty()) {
    for (const ResourceIndex resource : scope_) {
      const auto found = schema_.dynamic_anchors.find({resource, rule.anchor});
      if (found == schema_.dynamic_anchors.end()) continue;
      target = found->second;
      break;
    }
  }
  return check_branch(target, instance, evaluated, Report::violations);
}

bool Evaluator::apply(const NeverRule&, const json::value&, Evaluated*) {
  return violated("nothing is allowed here");
}

bool Evaluator::apply(const UnevaluatedItemsRule& rule, const json::value& instance, Evaluated* evaluated) {
  const auto* array = instance.if_array();
  if (array == nullptr) return true;
  bool valid = true;
  for (std::size_t i = 0; i < array->size(); ++i) {
    if ((*evaluated)[i]) continue;
    valid &= check_child(rule.node, i, (*array)[i]);
    mark(evaluated, i);
    if (!valid && silent()) return false;
  }
  return valid;
}

bool Evaluator::apply(const UnevaluatedPropertiesRule& rule, const json::value& instance,
                      Evaluated* evaluated) {
  const auto* object = instance.if_object();
  if (object == nullptr) return true;
  bool valid = true;
  std::size_t position = 0;
  for (const auto& member : *object) {
    const std::size_t i = position++;
    if ((*evaluated)[i]) continue;
    valid &= check_child(rule.node, view(member), member.value());
    mark(evaluated, i);
    if (!valid && silent()) return false;
  }
  return valid;
}

}  // namespace ganglion::schema

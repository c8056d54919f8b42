// The keywords of a subschema, vocabulary by vocabulary, as rules. The order in which they are compiled is
// the order in which they are checked, and so the order of the messages: what a value must be before what it
// must contain.

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "core/schema/compiler.h"
#include "core/schema/keyword.h"

namespace ganglion::schema {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> kTypes = {"null",   "boolean", "integer", "number",
                                                    "string", "array",   "object"};
constexpr std::size_t kShownChoices = 200;         // bytes of an `enum` in a message
constexpr Real kMaxCount = 9'007'199'254'740'992;  // of a `max…` that still means anything

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

std::string shown_choices(const json::value& choices, const json::array* list) {
  if (list == nullptr) return json::serialize(choices).substr(0, kShownChoices);
  std::string out = "one of ";
  for (const auto& choice : *list) {
    if (out.size() > kShownChoices) return out + "…";
    if (&choice != &list->front()) out += ", ";
    out += json::serialize(choice);
  }
  return out;
}

}  // namespace

std::optional<Keyword> Compiler::find(const Place& place, const json::object& schema, std::string_view name) {
  const json::value* value = schema.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return std::nullopt;
  return Keyword{place, place.pointer + "/" + escaped(name), *value};
}

std::optional<Real> Compiler::count(const Keyword& keyword) {
  const auto number = number_of(keyword.value);
  if (number && is_integer(keyword.value) && *number >= 0) return std::min(*number, kMaxCount);
  reject(keyword.pointer, "must be a non-negative integer");
  return std::nullopt;
}

std::vector<std::string> Compiler::names(const json::value& value, const std::string& pointer) {
  std::vector<std::string> out;
  const auto* array = value.if_array();
  const bool strings =
      array != nullptr && std::ranges::all_of(*array, [](const auto& item) { return item.is_string(); });
  if (!strings) {
    reject(pointer, "must be a list of strings");
    return out;
  }
  for (const auto& item : *array) out.emplace_back(view(item.get_string()));
  return out;
}

std::optional<Pattern> Compiler::pattern(std::string_view text, const std::string& pointer) {
  auto compiled = Pattern::compile(text);
  if (compiled) return std::move(*compiled);
  reject(pointer, compiled.error());
  return std::nullopt;
}

void Compiler::compile_assertions(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  if (const auto keyword = find(place, schema, "type")) {
    TypeRule rule;
    if (const auto* text = keyword->value.if_string()) {
      rule.names.emplace_back(view(*text));
    } else {
      rule.names = names(keyword->value, keyword->pointer);
    }
    for (const std::string& name : rule.names) {
      if (std::ranges::find(kTypes, name) != kTypes.end()) continue;
      reject(keyword->pointer,
             "no type \"" + name + "\"; types are null, boolean, integer, number, string, array and object");
    }
    if (rule.names.empty()) reject(keyword->pointer, "must name at least one type");
    rules.emplace_back(std::move(rule));
  }
  if (const auto keyword = find(place, schema, "const")) {
    rules.emplace_back(EnumRule{{canonical(keyword->value)}, shown_choices(keyword->value, nullptr)});
  }
  if (const auto keyword = find(place, schema, "enum")) {
    const auto* array = keyword->value.if_array();
    if (array == nullptr) return reject(keyword->pointer, "must be a list");
    EnumRule rule{{}, shown_choices(keyword->value, array)};
    for (const auto& choice : *array) rule.canonical.push_back(canonical(choice));
    std::ranges::sort(rule.canonical);
    rules.emplace_back(std::move(rule));
  }
}

void Compiler::compile_numbers(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  struct Limit {
    std::string_view name;
    Edge edge;
    Closed closed;
  };
  for (const Limit& limit : {Limit{"minimum", Edge::minimum, Closed::inclusive},
                             Limit{"exclusiveMinimum", Edge::minimum, Closed::exclusive},
                             Limit{"maximum", Edge::maximum, Closed::inclusive},
                             Limit{"exclusiveMaximum", Edge::maximum, Closed::exclusive}}) {
    const auto keyword = find(place, schema, limit.name);
    if (!keyword) continue;
    const auto number = number_of(keyword->value);
    if (!number) return reject(keyword->pointer, "must be a number");
    rules.emplace_back(NumberRule{limit.edge, limit.closed, *number, json::serialize(keyword->value)});
  }
  if (const auto keyword = find(place, schema, "multipleOf")) {
    const auto number = number_of(keyword->value);
    const auto divisor = decimal_of(keyword->value);
    if (!number || !divisor || *number <= 0) return reject(keyword->pointer, "must be a number above 0");
    rules.emplace_back(MultipleRule{*divisor, json::serialize(keyword->value)});
  }
}

void Compiler::compile_sizes(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  struct Limit {
    std::string_view name;
    Sized sized;
    Edge edge;
  };
  for (const Limit& limit :
       {Limit{"minLength", Sized::string, Edge::minimum}, Limit{"maxLength", Sized::string, Edge::maximum},
        Limit{"minItems", Sized::array, Edge::minimum}, Limit{"maxItems", Sized::array, Edge::maximum},
        Limit{"minProperties", Sized::object, Edge::minimum},
        Limit{"maxProperties", Sized::object, Edge::maximum}}) {
    const auto keyword = find(place, schema, limit.name);
    if (!keyword) continue;
    if (const auto number = count(*keyword)) rules.emplace_back(SizeRule{limit.sized, limit.edge, *number});
  }
  if (const auto keyword = find(place, schema, "pattern")) {
    const auto* text = keyword->value.if_string();
    if (text == nullptr) return reject(keyword->pointer, "must be a string");
    if (auto compiled = pattern(view(*text), keyword->pointer)) {
      rules.emplace_back(PatternRule{std::move(*compiled)});
    }
  }
  if (const auto keyword = find(place, schema, "uniqueItems")) {
    if (!keyword->value.is_bool()) return reject(keyword->pointer, "must be true or false");
    if (keyword->value.get_bool()) rules.emplace_back(UniqueRule{});
  }
}

void Compiler::compile_objects(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  if (const auto keyword = find(place, schema, "required")) {
    rules.emplace_back(RequiredRule{names(keyword->value, keyword->pointer)});
  }
  if (const auto keyword = find(place, schema, "dependentRequired")) {
    const auto* object = keyword->value.if_object();
    if (object == nullptr) return reject(keyword->pointer, "must be an object of lists of names");
    DependentRequiredRule rule;
    for (const auto& member : *object) {
      const std::string pointer = keyword->pointer + "/" + escaped(schema::view(member));
      rule.names.emplace_back(schema::view(member), names(member.value(), pointer));
    }
    rules.emplace_back(std::move(rule));
  }
  if (const auto keyword = find(place, schema, "propertyNames")) {
    rules.emplace_back(PropertyNamesRule{compile_child(*keyword, keyword->value)});
  }
}

void Compiler::compile_properties(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  PropertiesRule rule;
  bool present = false;
  if (const auto keyword = find(place, schema, "properties")) {
    present = true;
    for (auto& [name, node] : compile_map(*keyword)) rule.named.emplace(std::move(name), node);
  }
  if (const auto keyword = find(place, schema, "patternProperties")) {
    present = true;
    for (const auto& [text, node] : compile_map(*keyword)) {
      if (auto compiled = pattern(text, keyword->pointer + "/" + escaped(text))) {
        rule.patterns.emplace_back(std::move(*compiled), node);
      }
    }
  }
  if (const auto keyword = find(place, schema, "additionalProperties")) {
    present = true;
    rule.additional = compile_child(*keyword, keyword->value);
  }
  if (present) rules.emplace_back(std::move(rule));
}

void Compiler::compile_arrays(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  ItemsRule items;
  if (const auto keyword = find(place, schema, "prefixItems")) items.prefix = compile_list(*keyword);
  if (const auto keyword = find(place, schema, "items")) {
    if (keyword->value.is_array()) {
      return reject(keyword->pointer, "must be one schema; a list of schemas is called \"prefixItems\"");
    }
    items.rest = compile_child(*keyword, keyword->value);
  }
  if (!items.prefix.empty() || items.rest) rules.emplace_back(std::move(items));

  const auto minimum = find(place, schema, "minContains");
  const auto maximum = find(place, schema, "maxContains");
  const std::optional<Real> least = minimum ? count(*minimum) : Real{1};
  const std::optional<Real> most = maximum ? count(*maximum) : std::nullopt;
  if (const auto keyword = find(place, schema, "contains")) {
    rules.emplace_back(ContainsRule{compile_child(*keyword, keyword->value), least.value_or(1), most});
  }
}

void Compiler::compile_branches(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  if (const auto keyword = find(place, schema, "allOf"))
    rules.emplace_back(AllOfRule{compile_list(*keyword)});
  if (const auto keyword = find(place, schema, "anyOf"))
    rules.emplace_back(AnyOfRule{compile_list(*keyword)});
  if (const auto keyword = find(place, schema, "oneOf"))
    rules.emplace_back(OneOfRule{compile_list(*keyword)});
  if (const auto keyword = find(place, schema, "not")) {
    rules.emplace_back(NotRule{compile_child(*keyword, keyword->value)});
  }
  const auto branch = [&](std::string_view name) -> std::optional<NodeIndex> {
    const auto keyword = find(place, schema, name);
    return keyword ? std::optional(compile_child(*keyword, keyword->value)) : std::nullopt;
  };
  const auto condition = branch("if");
  const auto then_node = branch("then");
  const auto else_node = branch("else");
  if (condition) rules.emplace_back(ConditionalRule{*condition, then_node, else_node});
  if (const auto keyword = find(place, schema, "dependentSchemas")) {
    rules.emplace_back(DependentSchemasRule{compile_map(*keyword)});
  }
  // Nothing is checked by these; references lead into `$defs`, and a defect in it is a defect.
  if (const auto keyword = find(place, schema, "$defs")) compile_map(*keyword);
  branch("contentSchema");
}

void Compiler::compile_unevaluated(const Place& place, const json::object& schema, std::vector<Rule>& rules) {
  if (const auto keyword = find(place, schema, "unevaluatedItems")) {
    rules.emplace_back(UnevaluatedItemsRule{compile_child(*keyword, keyword->value)});
  }
  if (const auto keyword = find(place, schema, "unevaluatedProperties")) {
    rules.emplace_back(UnevaluatedPropertiesRule{compile_child(*keyword, keyword->value)});
  }
}

}  // namespace ganglion::schema

#include "core/expr/evaluator.h"

namespace ganglion::expr {

Result<Value> Evaluator::operator()(const MacroNode& node) {
  Result<Value> source = evaluate(node.source);
  if (!source) return source;
  if (!meter_.charge_bytes(source->unparsed_bytes())) return Meter::error();
  if (!source->is(Kind::list) && !source->is(Kind::map)) {
    return fail("no_such_overload",
                "a macro runs over a list or a map, not a " + std::string(type_name(source->kind())));
  }
  switch (node.macro) {
    case Macro::all:
    case Macro::exists:
      return quantify(node, *source);
    case Macro::exists_one:
      return exists_one(node, *source);
    case Macro::filter:
      return filter(node, *source);
    case Macro::map:
      return map(node, *source);
    case Macro::transform_map:
    case Macro::transform_map_entry:
      return transform_map(node, *source);
  }
  return Value();
}

void Evaluator::bind(const MacroNode& node, const Value& source, std::size_t index) {
  Value& first = variables_[node.first.value()];
  if (source.is(Kind::map)) {
    first = source.entry(index).first;
    if (node.second) variables_[node.second->value()] = source.entry(index).second;
  } else if (node.second) {
    first = Value::integer(static_cast<std::int64_t>(index));
    variables_[node.second->value()] = source.at(index);
  } else {
    first = source.at(index);
  }
}

// all and exists are && and || over the items, and absorb errors as these do.
Result<Value> Evaluator::quantify(const MacroNode& node, const Value& source) {
  bool decisive = node.macro == Macro::exists;
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < source.size(); ++i) {
    bind(node, source, i);
    Result<bool> holds = evaluate_condition(node.body, decisive ? "exists" : "all");
    if (meter_.exceeded()) return Meter::error();
    if (holds && *holds == decisive) return Value::boolean(decisive);
    if (!holds && !first_error) first_error = std::move(holds.error());
  }
  if (first_error) return std::unexpected(std::move(*first_error));
  return Value::boolean(!decisive);
}

Result<Value> Evaluator::exists_one(const MacroNode& node, const Value& source) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    bind(node, source, i);
    Result<bool> holds = evaluate_condition(node.body, "exists_one");
    if (!holds) return std::unexpected(std::move(holds.error()));
    count += *holds ? 1 : 0;
  }
  return Value::boolean(count == 1);
}

Result<Value> Evaluator::filter(const MacroNode& node, const Value& source) {
  std::vector<Value> items;
  for (std::size_t i = 0; i < source.size(); ++i) {
    bind(node, source, i);
    // A macro inside the body has slots of its own, so this variable is still bound afterwards.
    Result<bool> holds = evaluate_condition(node.body, "filter");
    if (!holds) return std::unexpected(std::move(holds.error()));
    if (*holds) items.push_back(variables_[node.first.value()]);
  }
  return Value::list(std::move(items));
}

Result<Value> Evaluator::map(const MacroNode& node, const Value& source) {
  std::vector<Value> items;
  for (std::size_t i = 0; i < source.size(); ++i) {
    bind(node, source, i);
    Result<bool> wanted = node.condition ? evaluate_condition(*node.condition, "map") : Result<bool>(true);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    if (!*wanted) continue;
    Result<Value> item = evaluate(node.body);
    if (!item) return item;
    items.push_back(std::move(*item));
  }
  return Value::list(std::move(items));
}

Result<Value> Evaluator::transform_map(const MacroNode& node, const Value& source) {
  std::vector<Value::Entry> entries;
  for (std::size_t i = 0; i < source.size(); ++i) {
    bind(node, source, i);
    Result<bool> wanted =
        node.condition ? evaluate_condition(*node.condition, "transformMap") : Result<bool>(true);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    if (!*wanted) continue;
    Result<Value> value = evaluate(node.body);
    if (!value) return value;
    if (node.macro == Macro::transform_map) {
      if (!charge_key(variables_[node.first.value()], meter_)) return Meter::error();
      entries.emplace_back(variables_[node.first.value()], std::move(*value));
      continue;
    }
    if (!value->is(Kind::map)) return no_such_overload("transformMapEntry", std::span(&*value, 1));
    for (std::size_t j = 0; j < value->size(); ++j) {
      if (!meter_.charge(1) || !charge_key(value->entry(j).first, meter_)) return Meter::error();
      entries.push_back(value->entry(j));
    }
  }
  return Value::map(std::move(entries));
}

}  // namespace ganglion::expr

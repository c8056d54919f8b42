#include "core/expr/evaluator.h"

#include <array>

namespace ganglion::expr {

Result<Value> Evaluator::evaluate(NodeIndex index) {
  if (!meter_.charge(1)) return Meter::error();
  return std::visit(*this, ast_[index]);
}

Result<Value> Evaluator::operator()(const ConstantNode& node) {
  return node.value;
}

Result<Value> Evaluator::operator()(const VariableNode& node) {
  return variables_[node.slot.value()];
}

Result<Value> Evaluator::operator()(const NameNode& node) {
  for (const NameNode::Candidate& candidate : node.candidates) {
    std::optional<Value> found = scope_.find(candidate.name);
    if (!found) continue;
    Result<Value> value = std::move(*found);
    for (std::size_t i = candidate.covers; value && i < node.path.size(); ++i) {
      if (!meter_.charge(1)) return Meter::error();
      value = select(*value, node.path[i]);
    }
    return value;
  }
  if (node.type) return Value::type(*node.type);
  return fail("unknown_name", "nothing is named '" + node.path.front() + "' here");
}

Result<Value> Evaluator::select(const Value& operand, const std::string& field) {
  if (!meter_.charge_bytes(operand.unparsed_bytes())) return Meter::error();
  if (!operand.is(Kind::map)) {
    return fail("no_such_overload", "'" + field + "' can't be selected from a value of type " +
                                        std::string(type_name(operand.kind())));
  }
  if (const Value* found = operand.find(field)) return *found;
  return fail("no_such_key", "no such key: '" + field + "'");
}

Result<Value> Evaluator::operator()(const SelectNode& node) {
  Result<Value> operand = evaluate(node.operand);
  if (!operand) return operand;
  return select(*operand, node.field);
}

Result<Value> Evaluator::operator()(const PresenceNode& node) {
  for (const std::string& name : node.qualified_names) {
    if (scope_.find(name)) return Value::boolean(true);
  }
  Result<Value> operand = evaluate(node.operand);
  if (!operand) return operand;
  Result<Value> field = select(*operand, node.field);
  if (field) return Value::boolean(true);
  if (field.error().code == "no_such_key") return Value::boolean(false);
  return field;
}

Result<Value> Evaluator::operator()(const CallNode& node) {
  constexpr std::size_t kMostArguments = 2;
  std::array<Value, kMostArguments> arguments;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    Result<Value> argument = evaluate(node.arguments[i]);
    if (!argument) return argument;
    arguments[i] = std::move(*argument);
  }
  return call(node.function, std::span(arguments).first(node.arguments.size()), meter_);
}

Result<Value> Evaluator::operator()(const UnknownCallNode& node) {
  return std::unexpected(node.error);
}

Result<Value> Evaluator::operator()(const MatchNode& node) {
  Result<Value> text = evaluate(node.text);
  if (!text) return text;
  if (!meter_.charge_bytes(text->unparsed_bytes())) return Meter::error();
  if (!text->is(Kind::string)) return no_such_overload("matches", std::span(&*text, 1));
  if (!charge_match(text->as_string(), node.regex, meter_)) return Meter::error();
  return Value::boolean(node.regex.matches(text->as_string()));
}

// A decisive operand wins over errors on either side of it.
Result<Value> Evaluator::operator()(const LogicalNode& node) {
  std::optional<Error> first_error;
  for (NodeIndex index : node.operands) {
    Result<Value> operand = evaluate(index);
    if (meter_.exceeded()) return Meter::error();
    if (operand && operand->is(Kind::boolean)) {
      if (operand->as_boolean() == node.decisive) return operand;
      continue;
    }
    if (first_error) continue;
    if (operand) operand = no_such_overload(node.decisive ? "||" : "&&", std::span(&*operand, 1));
    first_error = std::move(operand.error());
  }
  if (first_error) return std::unexpected(std::move(*first_error));
  return Value::boolean(!node.decisive);
}

Result<bool> Evaluator::evaluate_condition(NodeIndex index, std::string_view what) {
  Result<Value> value = evaluate(index);
  if (!value) return std::unexpected(std::move(value.error()));
  if (!value->is(Kind::boolean)) return no_such_overload(what, std::span(&*value, 1));
  return value->as_boolean();
}

Result<Value> Evaluator::operator()(const ConditionalNode& node) {
  Result<bool> condition = evaluate_condition(node.condition, "?:");
  if (!condition) return std::unexpected(std::move(condition.error()));
  return evaluate(*condition ? node.then : node.otherwise);
}

Result<Value> Evaluator::operator()(const ListNode& node) {
  std::vector<Value> items;
  items.reserve(node.items.size());
  for (NodeIndex index : node.items) {
    Result<Value> item = evaluate(index);
    if (!item) return item;
    items.push_back(std::move(*item));
  }
  return Value::list(std::move(items));
}

Result<Value> Evaluator::operator()(const MapNode& node) {
  std::vector<Value::Entry> entries;
  entries.reserve(node.entries.size());
  for (auto [key_index, value_index] : node.entries) {
    Result<Value> key = evaluate(key_index);
    if (!key) return key;
    Result<Value> value = evaluate(value_index);
    if (!value) return value;
    if (!charge_key(*key, meter_)) return Meter::error();
    entries.emplace_back(std::move(*key), std::move(*value));
  }
  return Value::map(std::move(entries));
}

}  // namespace ganglion::expr

#pragma once

// Walks the tree of one expression. Its recursion is bounded by the tree's height, its work by the meter. One
// evaluator serves one evaluation.

#include <vector>

#include "core/expr/ast.h"
#include "core/expr/meter.h"

namespace ganglion::expr {

class Evaluator {
 public:
  Evaluator(const Ast& ast, const Scope& scope, Meter& meter)
      : ast_(ast), scope_(scope), meter_(meter), variables_(ast.slots) {}

  Result<Value> evaluate(NodeIndex index);

  // One per kind of node.
  Result<Value> operator()(const ConstantNode& node);
  Result<Value> operator()(const VariableNode& node);
  Result<Value> operator()(const NameNode& node);
  Result<Value> operator()(const SelectNode& node);
  Result<Value> operator()(const PresenceNode& node);
  Result<Value> operator()(const CallNode& node);
  Result<Value> operator()(const UnknownCallNode& node);
  Result<Value> operator()(const MatchNode& node);
  Result<Value> operator()(const LogicalNode& node);
  Result<Value> operator()(const ConditionalNode& node);
  Result<Value> operator()(const ListNode& node);
  Result<Value> operator()(const MapNode& node);
  Result<Value> operator()(const MacroNode& node);

 private:
  Result<bool> evaluate_condition(NodeIndex index, std::string_view what);
  Result<Value> select(const Value& operand, const std::string& field);

  // evaluator_macros.cc
  void bind(const MacroNode& node, const Value& source, std::size_t index);
  Result<Value> quantify(const MacroNode& node, const Value& source);
  Result<Value> exists_one(const MacroNode& node, const Value& source);
  Result<Value> filter(const MacroNode& node, const Value& source);
  Result<Value> map(const MacroNode& node, const Value& source);
  Result<Value> transform_map(const MacroNode& node, const Value& source);

  const Ast& ast_;
  const Scope& scope_;
  Meter& meter_;
  std::vector<Value> variables_;
};

}  // namespace ganglion::expr

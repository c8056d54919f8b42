#pragma once

// The tree of one expression: nodes in one array, children named by their position. Children stand before
// their parents, so the tree has no cycles; its height is bounded (kMaxNesting), so walking it may recurse.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/strong_id.h"
#include "core/expr/functions.h"
#include "core/expr/program.h"
#include "core/expr/regex.h"
#include "core/expr/value.h"

namespace ganglion::expr {

using NodeIndex = StrongId<struct NodeTag, std::uint32_t>;
// Where a macro variable lives while its macro runs.
using Slot = StrongId<struct SlotTag, std::uint32_t>;

struct ConstantNode {
  Value value;
};

struct VariableNode {
  Slot slot;
};

// A free identifier with the fields selected from it, resolved longest name first.
struct NameNode {
  struct Candidate {
    std::string name;    // what the scope is asked for
    std::size_t covers;  // how many parts of `path` the name stands for
  };

  std::vector<std::string> path;
  bool absolute = false;              // written with a leading dot: the container does not matter
  std::vector<Candidate> candidates;  // in the order in which they are tried
  std::optional<Kind> type;           // what the whole path denotes if nothing in scope has the name
};

struct SelectNode {
  NodeIndex operand;
  std::string field;
};

// has(operand.field)
struct PresenceNode {
  NodeIndex operand;
  std::string field;
  std::vector<std::string> qualified_names;  // of the whole path; one of them in scope is enough
};

struct CallNode {
  Function function;
  std::vector<NodeIndex> arguments;
};

// A call of what does not exist: fails when it is evaluated.
struct UnknownCallNode {
  Error error;
};

// matches() with a constant pattern
struct MatchNode {
  NodeIndex text;
  Regex regex;
};

// A chain of one operator: the value that decides it is `decisive`.
struct LogicalNode {
  bool decisive;  // false for &&, true for ||
  std::vector<NodeIndex> operands;
};

struct ConditionalNode {
  NodeIndex condition, then, otherwise;
};

struct ListNode {
  std::vector<NodeIndex> items;
};

struct MapNode {
  std::vector<std::pair<NodeIndex, NodeIndex>> entries;
};

enum class Macro : std::uint8_t { all, exists, exists_one, filter, map, transform_map, transform_map_entry };

// With one variable it is the item of a list or the key of a map; with two they are index and item, or key
// and value.
struct MacroNode {
  Macro macro;
  NodeIndex source;
  Slot first;
  std::optional<Slot> second;
  std::optional<NodeIndex> condition;  // of map and transform_map: only where this holds
  NodeIndex body;
};

using Node =
    std::variant<ConstantNode, VariableNode, NameNode, SelectNode, PresenceNode, CallNode, UnknownCallNode,
                 MatchNode, LogicalNode, ConditionalNode, ListNode, MapNode, MacroNode>;

struct Ast {
  std::string source;
  std::vector<Node> nodes;
  NodeIndex root;
  std::size_t slots = 0;
  std::vector<Reference> references;
  std::vector<CompileError> warnings;

  const Node& operator[](NodeIndex index) const { return nodes[index.value()]; }
};

}  // namespace ganglion::expr

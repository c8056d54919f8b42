#pragma once

// Turns a schema's JSON into the table of nodes that the evaluator reads. It walks the document once, from
// the root through the places where keywords hold subschemas, and notes every `$id`, `$anchor` and
// `$dynamicAnchor`; references are resolved afterwards, so that they may point ahead. A pointer may lead to a
// place that no keyword reaches; the subschema there is compiled then.
//
// The walk stops at the first defect.

#include <boost/json/fwd.hpp>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/schema/rules.h"
#include "core/schema/schema.h"

namespace ganglion::schema {

struct Keyword;
struct Place;

class Compiler {
 public:
  std::expected<CompiledSchema, Violation> run(const boost::json::value& schema);

 private:
  struct Resource {
    std::string uri;
    std::string pointer;  // of its root, from the document's root
    const boost::json::value* root;
    NodeIndex node;
  };
  enum class ReferenceKind { plain, dynamic };
  struct PendingReference {
    NodeIndex node;
    std::size_t rule;  // the placeholder among the node's rules
    ReferenceKind kind;
    std::string text;
    std::string pointer;  // of the keyword
  };

  NodeIndex compile_node(Place place);
  // The keyword's own schema, or the one a further step down.
  NodeIndex compile_child(const Keyword& keyword, const boost::json::value& schema,
                          std::string_view step = {});
  std::vector<NodeIndex> compile_list(const Keyword& keyword);
  std::vector<std::pair<std::string, NodeIndex>> compile_map(const Keyword& keyword);

  void identify(Place& place, NodeIndex node, const boost::json::object& schema);
  void name_anchor(const Place& place, NodeIndex node, const boost::json::object& schema,
                   std::string_view keyword);
  void compile_references(const Place& place, NodeIndex node, const boost::json::object& schema);
  void compile_assertions(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_numbers(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_sizes(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_objects(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_properties(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_arrays(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_branches(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);
  void compile_unevaluated(const Place& place, const boost::json::object& schema, std::vector<Rule>& rules);

  void resolve(const PendingReference& reference);
  std::optional<NodeIndex> node_at_pointer(const Resource& resource, std::string_view pointer);

  std::optional<Keyword> find(const Place& place, const boost::json::object& schema, std::string_view name);
  std::optional<Real> count(const Keyword& keyword);
  std::vector<std::string> names(const boost::json::value& value, const std::string& pointer);
  std::optional<Pattern> pattern(std::string_view text, const std::string& pointer);
  void reject(std::string pointer, std::string message);

  CompiledSchema compiled_;
  std::vector<Resource> resources_;
  std::map<std::string, ResourceIndex, std::less<>> by_uri_;
  std::map<std::string, NodeIndex, std::less<>> by_pointer_;
  std::map<std::pair<ResourceIndex, std::string>, NodeIndex> anchors_;
  std::vector<PendingReference> pending_;
  std::optional<Violation> defect_;
};

}  // namespace ganglion::schema

#pragma once

// Applies a compiled schema to one instance. One evaluator checks one instance.
//
// Messages are collected only where a failure is final: inside `not`, `if`, `anyOf`, `oneOf` and `contains` a
// failing branch says nothing. Where a rule needs to know which properties or items have been evaluated,
// branches keep that as one mark per child, and hand it up only if they are valid (2020-12 core,
// section 7.7).

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/schema/rules.h"
#include "core/schema/schema.h"

namespace ganglion::schema {

class Evaluator {
 public:
  explicit Evaluator(const CompiledSchema& schema) : schema_(schema) {}

  std::vector<Violation> run(const boost::json::value& instance);

 private:
  // One per child (property or item, by position) of the instance at hand.
  using Evaluated = std::vector<bool>;
  using Step = std::variant<std::string_view, std::size_t>;
  enum class Report { violations, nothing };

  // `evaluated` is null where nobody asks.
  bool check(NodeIndex node, const boost::json::value& instance, Evaluated* evaluated);
  bool check_child(NodeIndex node, Step step, const boost::json::value& instance);
  // A branch: its marks are kept only if it is valid.
  bool check_branch(NodeIndex node, const boost::json::value& instance, Evaluated* evaluated, Report report);

  bool apply(const TypeRule&, const boost::json::value&, Evaluated*);
  bool apply(const EnumRule&, const boost::json::value&, Evaluated*);
  bool apply(const NumberRule&, const boost::json::value&, Evaluated*);
  bool apply(const MultipleRule&, const boost::json::value&, Evaluated*);
  bool apply(const SizeRule&, const boost::json::value&, Evaluated*);
  bool apply(const PatternRule&, const boost::json::value&, Evaluated*);
  bool apply(const UniqueRule&, const boost::json::value&, Evaluated*);
  bool apply(const RequiredRule&, const boost::json::value&, Evaluated*);
  bool apply(const DependentRequiredRule&, const boost::json::value&, Evaluated*);
  bool apply(const PropertyNamesRule&, const boost::json::value&, Evaluated*);
  bool apply(const PropertiesRule&, const boost::json::value&, Evaluated*);
  bool apply(const ItemsRule&, const boost::json::value&, Evaluated*);
  bool apply(const ContainsRule&, const boost::json::value&, Evaluated*);
  bool apply(const AllOfRule&, const boost::json::value&, Evaluated*);
  bool apply(const AnyOfRule&, const boost::json::value&, Evaluated*);
  bool apply(const OneOfRule&, const boost::json::value&, Evaluated*);
  bool apply(const NotRule&, const boost::json::value&, Evaluated*);
  bool apply(const ConditionalRule&, const boost::json::value&, Evaluated*);
  bool apply(const DependentSchemasRule&, const boost::json::value&, Evaluated*);
  bool apply(const ReferenceRule&, const boost::json::value&, Evaluated*);
  bool apply(const DynamicReferenceRule&, const boost::json::value&, Evaluated*);
  bool apply(const NeverRule&, const boost::json::value&, Evaluated*);
  bool apply(const UnevaluatedItemsRule&, const boost::json::value&, Evaluated*);
  bool apply(const UnevaluatedPropertiesRule&, const boost::json::value&, Evaluated*);

  // Records a violation at the present place unless in a branch that may fail; false, for the caller to
  // return.
  bool violated(std::string message);
  bool silent() const { return silence_ > 0 || violations_.size() >= kMaxViolations; }
  std::string path() const;

  const CompiledSchema& schema_;
  std::vector<Violation> violations_;
  std::vector<Step> path_;
  std::vector<ResourceIndex> scope_;  // the dynamic scope, outermost first
  std::size_t silence_ = 0;           // how many branches that may fail we are in
  std::size_t depth_ = 0;
  std::size_t evaluations_ = 0;
  std::string exhausted_;  // why the check was given up; empty while it goes on
};

}  // namespace ganglion::schema

#include "core/coordination.h"

#include <algorithm>

namespace ganglion {

std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::centralized:
      return "centralized";
    case Strategy::mesh:
      return "mesh";
    case Strategy::hierarchical:
      return "hierarchical";
    case Strategy::swarm:
      return "swarm";
  }
  return "";
}

std::optional<Strategy> strategy_named(std::string_view name) {
  const auto found = std::ranges::find(kStrategies, name, name_of);
  if (found == kStrategies.end()) return std::nullopt;
  return *found;
}

const std::string& Coordination::domain_of(std::string_view workflow) const {
  static const std::string kDefault(kDefaultDomain);
  const auto found = domains_by_workflow.find(workflow);
  return found == domains_by_workflow.end() ? kDefault : found->second;
}

}  // namespace ganglion

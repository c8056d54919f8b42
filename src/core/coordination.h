#pragma once

// How the processes of an installation share its work: which of them takes up a run (the strategy), which
// workflows belong together (the domains) and what one process does (its roles). None of it is a matter of
// safety: a run's version is.

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion {

enum class Strategy { centralized, mesh, hierarchical, swarm };

inline constexpr std::array kStrategies = {Strategy::centralized, Strategy::mesh, Strategy::hierarchical,
                                           Strategy::swarm};

// As in project files and on the command line.
std::string_view name_of(Strategy strategy);
std::optional<Strategy> strategy_named(std::string_view name);

inline constexpr std::size_t kMaxDomains = 256;  // each is a queue

// The domain of workflows that no other one names. A project may declare it, which says the same in words.
inline constexpr std::string_view kDefaultDomain = "default";

struct Coordination {
  Strategy strategy = Strategy::mesh;
  // As declared: each has at least one workflow, in the order of the file; names are as those of workflows.
  std::map<std::string, std::vector<std::string>> domains;
  std::map<std::string, std::string, std::less<>> domains_by_workflow;  // the same the other way round

  // Reactions of agents, which no file can name, are of the default domain.
  const std::string& domain_of(std::string_view workflow) const;
};

// What one process does: answers requests, decides what becomes of runs, performs tasks (hands them out to
// workers and has `workers:` and agents' processes of its own).
struct Roles {
  bool ingress = true;
  bool coordinator = true;
  bool agents = true;

  bool all() const { return ingress && coordinator && agents; }
  bool operator==(const Roles&) const = default;
};

}  // namespace ganglion

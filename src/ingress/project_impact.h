#pragma once

// What a new project file means for runs that are open: each goes on under the definition that it was started
// under, and a person wants to know which of those are no longer what the file says.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/workflow.h"
#include "ingress/api.h"

namespace ganglion::ingress {

struct AffectedRuns {
  std::string workflow;
  std::string definition;  // digest of the file that they go on under
  std::size_t runs = 0;
  bool removed = false;  // the new file has no such workflow; else it has another one
};

struct ProjectImpact {
  std::size_t open_runs = 0;
  std::vector<AffectedRuns> affected;
};

void assess_project(const Dependencies& dependencies, std::shared_ptr<const Project> next,
                    std::move_only_function<void(Result<ProjectImpact>)> done);

// Whether two files say the same about a workflow: its own text, and what it takes from agents and defaults.
bool same_workflow(const Project& a, const Project& b, const std::string& workflow);

// `{digest, workflows, agents, open_runs: {total, affected}}`.
std::string put_project_json(const Project& project, const ProjectImpact& impact);

}  // namespace ganglion::ingress

#pragma once

// A scenario from YAML: read as a project file is, key by key with positions, every error at once. It is held
// against the project: agents, workflows, steps and topics that it names exist, expressions compile and use
// names that there are.
//
// Pure: recordings that the file names come from `load`.

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/workflow.h"
#include "project/project.h"
#include "sim/scenario/scenario.h"

namespace ganglion::scenario {

// The text of a file by its path as written (relative to the scenario's own folder).
using LoadFile = std::function<Result<std::string>(const std::string& path)>;

std::expected<Scenario, std::vector<project::Diagnostic>> read_scenario(std::string_view source,
                                                                        std::string_view file_name,
                                                                        const Project& project,
                                                                        const LoadFile& load);

// Only the path of the project, which must be read before the scenario can be.
std::expected<std::string, std::vector<project::Diagnostic>> read_project_path(std::string_view source,
                                                                               std::string_view file_name);

}  // namespace ganglion::scenario

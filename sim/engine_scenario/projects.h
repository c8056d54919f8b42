#pragma once

// The project files that the engine is tested with: in one of them there is some of everything, the others
// are about one thing each. The second version of each is what a person may put in its place while runs are
// open.

#include <cstddef>
#include <string>

namespace ganglion::sim {

inline constexpr std::size_t kEngineProjects = 4;

// `which` is below kEngineProjects; `version` 1 or 2.
std::string engine_project(std::size_t which, int version);

}  // namespace ganglion::sim

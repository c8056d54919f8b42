#pragma once

// For tests: a project and a scenario from their texts, carried out.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/memory/store.h"
#include "base/assert.h"
#include "project/project.h"
#include "sim/scenario/scenario_reader.h"
#include "sim/user_scenario/user_scenario.h"

namespace ganglion::sim {

using Files = std::map<std::string, std::string>;

inline UserScenarioOptions options_of(const std::string& project_text, const std::string& scenario_text,
                                      const Files& files = {}) {
  auto project = project::parse(project_text, "ganglion.yaml");
  if (!project) assertion_failed(project.error().front().text().c_str(), __FILE__, __LINE__);
  auto scenario = scenario::read_scenario(scenario_text, "simulation.yaml", **project,
                                          [&](const std::string& path) -> Result<std::string> {
                                            const auto file = files.find(path);
                                            if (file == files.end())
                                              return fail("unreadable_file", "there is no " + path);
                                            return file->second;
                                          });
  if (!scenario) assertion_failed(scenario.error().front().text().c_str(), __FILE__, __LINE__);
  return {.scenario = std::make_shared<const scenario::Scenario>(*std::move(scenario)),
          .project = *project,
          .make_store = [](Clock& clock) { return std::make_unique<memory::Store>(clock); }};
}

// `logistics/simulation.yaml`
inline UserScenarioOptions example(const std::string& name) {
  const auto path = std::filesystem::path(GANGLION_SOURCE_DIR) / "examples" / name;
  const auto read = [](const std::filesystem::path& file) { return project::read_file(file).value_or(""); };
  const std::string scenario = read(path);
  const auto project = scenario::read_project_path(scenario, name);
  GANGLION_ASSERT(project);
  return options_of(read(path.parent_path() / *project), scenario);
}

inline SeedResult run(const UserScenarioOptions& options, std::uint64_t seed = 1,
                      const OnlyEvents& only = {}) {
  return run_user_scenario(seed, only, {}, options);
}

// The story as lines of `who what details`.
inline std::vector<std::string> story(const UserScenarioOptions& options, std::uint64_t seed = 1,
                                      const OnlyEvents& only = {}) {
  std::vector<std::string> lines;
  run_user_scenario(
      seed, only,
      [&](SimTime, std::string_view who, std::string_view what, std::string_view details) {
        lines.push_back(std::string(who) + " " + std::string(what) + " " + std::string(details));
      },
      options);
  return lines;
}

inline std::size_t count(const std::vector<std::string>& lines, std::string_view part) {
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

// A number of the totals, by its path: `runs.completed`.
std::int64_t total(const SeedResult& result, std::string_view path);

}  // namespace ganglion::sim

#include "sim/command/scenarios.h"

#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "project/project.h"
#include "sim/engine_scenario/engine_scenario.h"
#include "sim/scenario/scenario_reader.h"
#include "sim/user_scenario/user_scenario.h"
#include "sim/world/world.h"

namespace ganglion::sim {
namespace {

constexpr std::uint64_t kEnoughEngineSeeds = 1'000;
constexpr std::uint64_t kEnoughUserSeeds = 2;  // one alone need not see what happens sometimes

// Projects are compiled once, however many seeds ask.
Compile cached_compile() {
  auto known = std::make_shared<std::map<std::string, std::shared_ptr<const Project>>>();
  return [known](const std::string& source) -> Result<std::shared_ptr<const Project>> {
    if (const auto found = known->find(source); found != known->end()) return found->second;
    auto parsed = project::parse(source, "ganglion.yaml");
    if (!parsed) return fail("invalid_project", parsed.error().front().text());
    known->emplace(source, *parsed);
    return *parsed;
  };
}

PreparedScenario engine_scenario(const Backends& backends) {
  const auto options = std::make_shared<EngineScenarioOptions>(
      EngineScenarioOptions{backends.make_store, backends.make_broker, cached_compile()});
  return {.run = [options](
                     std::uint64_t seed, const OnlyEvents& only,
                     Trace::Sink sink) { return run_engine_scenario(seed, only, std::move(sink), *options); },
          .expected_sightings = expected_sightings(),
          .enough_seeds = kEnoughEngineSeeds};
}

template <typename T>
Result<T> with_lines(std::expected<T, std::vector<project::Diagnostic>> read) {
  if (read) return *std::move(read);
  std::string lines;
  for (const project::Diagnostic& diagnostic : read.error()) {
    lines += (lines.empty() ? "" : "\n") + diagnostic.text();
  }
  return fail("invalid", lines);
}

// What a scenario names is found from its own folder.
Result<PreparedScenario> user_scenario(const std::string& file, const Backends& backends) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  const auto source = project::read_file(file);
  if (!source) return std::unexpected(source.error());
  const auto project_path = with_lines(scenario::read_project_path(*source, file));
  if (!project_path) return std::unexpected(project_path.error());
  const std::string project_file = (folder / *project_path).string();
  const auto project_source = project::read_file(project_file);
  if (!project_source) return std::unexpected(project_source.error());
  const auto project = with_lines(project::parse(*project_source, project_file));
  if (!project) return std::unexpected(project.error());
  const auto load = [&](const std::string& path) { return project::read_file(folder / path); };
  auto scenario = with_lines(scenario::read_scenario(*source, file, **project, load));
  if (!scenario) return std::unexpected(scenario.error());
  const auto options = std::make_shared<UserScenarioOptions>(
      UserScenarioOptions{.scenario = std::make_shared<const scenario::Scenario>(*std::move(scenario)),
                          .project = *project,
                          .make_store = backends.make_store});
  return PreparedScenario{
      .run = [options](std::uint64_t seed, const OnlyEvents& only,
                       Trace::Sink sink) { return run_user_scenario(seed, only, std::move(sink), *options); },
      .expected_sightings = expected_sightings(*options->scenario),
      .enough_seeds = kEnoughUserSeeds};
}

}  // namespace

Result<PreparedScenario> prepare_scenario(const std::string& scenario, const Backends& backends) {
  if (scenario == "engine") return engine_scenario(backends);
  return user_scenario(scenario, backends);
}

}  // namespace ganglion::sim

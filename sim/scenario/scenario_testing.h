#pragma once

// For tests: a project with a bit of everything, and scenarios of it.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "project/project.h"
#include "sim/scenario/scenario_reader.h"

namespace ganglion::scenario {

inline constexpr std::string_view kProject = R"(
ganglion: 1
agents:
  scan: {kind: worker, publishes: [file.scanned], state: {write: [case.*]}}
  price: {kind: worker, output: {type: object, required: [cents], properties: {cents: {type: integer}}}}
  legal: {kind: human, by: [ann]}
  desk: {kind: router, rules: [{match: x, to: scan}], default: price}
workflows:
  order:
    input: {type: object, required: [id]}
    steps:
      scan: {agent: scan, input: "${{ input }}"}
      price: {agent: price, needs: [scan]}
      sign_off: {approve: {by: [ann, bob]}, needs: [price]}
      opinion: {agent: legal, needs: [sign_off]}
  other:
    steps:
      wait: {wait_for: {event: pull_request.*}}
triggers: [{on: file.uploaded, workflow: other}]
topics: {file.uploaded: {1: {type: object, required: [name]}}}
)";

inline const Project& project_of_tests() {
  static const std::shared_ptr<const Project> project = [] {
    auto loaded = project::parse(kProject, "ganglion.yaml");
    GANGLION_ASSERT(loaded.has_value());
    return *loaded;
  }();
  return *project;
}

using Files = std::map<std::string, std::string>;

inline LoadFile from(Files files) {
  return [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto file = files.find(path);
    if (file == files.end()) return fail("unreadable_file", "can't read " + path + ": there is no such file");
    return file->second;
  };
}

// What every scenario here begins with: five lines, with an answer for the agent that has a schema.
inline const std::string kBegin = "simulation: 1\nproject: ganglion.yaml\nduration: 10m\n";
inline const std::string kPriced = "agents: {price: {script: [{output: {cents: 1}}]}}\n";

inline std::vector<std::string> errors_of(const std::string& source, const Files& files = {}) {
  std::vector<std::string> texts;
  const auto scenario = read_scenario(source, "s.yaml", project_of_tests(), from(files));
  if (scenario) return texts;
  for (const auto& diagnostic : scenario.error()) texts.push_back(diagnostic.text());
  return texts;
}

// Of what stands on line 5.
inline std::vector<std::string> errors_of_part(const std::string& part, const Files& files = {}) {
  return errors_of(kBegin + kPriced + part + "\n", files);
}
// Of keys of the agent `scan`, on line 4.
inline std::vector<std::string> errors_of_agent(const std::string& keys, const Files& files = {}) {
  return errors_of(kBegin + "agents: {price: {script: [{output: {cents: 1}}]}, scan: " + keys + "}\n", files);
}

inline Scenario scenario_of(const std::string& source, const Files& files = {}) {
  auto scenario = read_scenario(source, "s.yaml", project_of_tests(), from(files));
  if (!scenario) assertion_failed(scenario.error().front().text().c_str(), __FILE__, __LINE__);
  return *std::move(scenario);
}
inline Scenario scenario_with(const std::string& part, const Files& files = {}) {
  return scenario_of(kBegin + kPriced + part + "\n", files);
}
inline AgentModel agent_with(const std::string& keys, const Files& files = {}) {
  return scenario_of(kBegin + "agents: {price: {script: [{output: {cents: 1}}]}, scan: " + keys + "}\n",
                     files)
      .agents.at("scan");
}

}  // namespace ganglion::scenario

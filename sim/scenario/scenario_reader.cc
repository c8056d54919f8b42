#include "sim/scenario/scenario_reader.h"

#include <optional>
#include <utility>

#include "project/yaml.h"
#include "sim/scenario/agent_reader.h"
#include "sim/scenario/expectation_reader.h"
#include "sim/scenario/fault_reader.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/traffic_reader.h"

namespace ganglion::scenario {
namespace {

constexpr std::int64_t kFormat = 1;

// What is wrong with the YAML itself is reported.
std::optional<project::YamlNode> parse(std::string_view source, Diagnostics& diagnostics) {
  if (source.size() > kMaxScenarioBytes) {
    diagnostics.add({}, "", "a scenario has at most " + std::to_string(kMaxScenarioBytes) + " bytes");
    return std::nullopt;
  }
  project::YamlDocument document = project::parse_yaml(source);
  for (const auto& problem : document.problems) diagnostics.add(problem.position, "", problem.message);
  if (!document.root && diagnostics.empty()) {
    diagnostics.add({}, "", "the file is empty; a scenario begins with \"simulation: 1\"");
  }
  return std::move(document.root);
}

void read_format(Fields& fields, Diagnostics& diagnostics) {
  const auto format = fields.take("simulation");
  if (!format) {
    diagnostics.add(fields.owner().position, "simulation",
                    "the version of the format is missing: write \"simulation: 1\"");
    return;
  }
  if (format->value->kind == YamlKind::integer && project::integer_of(*format->value) == kFormat) return;
  diagnostics.add(format->position, format->path,
                  "expected format 1, the only one there is, got " + describe(*format->value));
}

std::string read_project(Fields& fields, Diagnostics& diagnostics) {
  const auto field = fields.take("project");
  if (field) return project::read_text(*field, diagnostics).value_or("");
  diagnostics.add(fields.owner().position, "project",
                  "the project is missing: write \"project: ganglion.yaml\", a path from this file");
  return "";
}

std::uint32_t read_count(const std::optional<Field>& field, std::uint32_t otherwise, std::uint32_t most,
                         const Reading& reading) {
  if (!field) return otherwise;
  const auto count = project::read_integer(*field, 1, most, reading.diagnostics);
  return static_cast<std::uint32_t>(count.value_or(otherwise));
}

void read_size(Fields& fields, const Reading& reading, Scenario& scenario) {
  const Scenario defaults;
  if (const auto duration = fields.take("duration")) {
    const auto span = read_span(*duration, reading);
    if (span && *span < Duration(1)) reading.report(*duration, "must be longer than 0");
    scenario.duration = span.value_or(kMaxSpan);
  }
  if (const auto settle = fields.take("settle")) {
    scenario.settle = read_span(*settle, reading).value_or(defaults.settle);
  }
  scenario.engines = read_count(fields.take("engines"), defaults.engines, kMaxEngines, reading);
  scenario.workers = read_count(fields.take("workers"), defaults.workers, kMaxWorkers, reading);
  scenario.capacity = read_count(fields.take("capacity"), defaults.capacity, kMaxCapacity, reading);
}

Scenario read_root(const project::YamlNode& root, const Reading& reading) {
  Scenario scenario;
  const Field owner{"", root.position, &root};
  Fields fields(owner, reading.diagnostics);
  if (root.kind != YamlKind::map) return scenario;
  read_format(fields, reading.diagnostics);
  scenario.project = read_project(fields, reading.diagnostics);
  read_size(fields, reading, scenario);
  scenario.agents = read_agents(fields.take("agents"), owner, reading);
  if (const auto arrivals = fields.take("arrivals")) {
    scenario.arrivals = read_arrivals(*arrivals, scenario.duration, reading);
  }
  if (const auto events = fields.take("events")) {
    scenario.events = read_events(*events, scenario.duration, reading);
  }
  if (const auto people = fields.take("people")) scenario.people = read_persons(*people, reading);
  if (const auto cancels = fields.take("cancels")) scenario.cancels = read_cancels(*cancels, reading);
  if (const auto faults = fields.take("faults")) scenario.faults = read_faults(*faults, reading);
  if (const auto expect = fields.take("expect")) {
    scenario.expect = read_expectations(*expect, scenario.agents, reading);
  }
  fields.finish();
  return scenario;
}

}  // namespace

std::expected<Scenario, std::vector<project::Diagnostic>> read_scenario(std::string_view source,
                                                                        std::string_view file_name,
                                                                        const Project& project,
                                                                        const LoadFile& load) {
  Diagnostics diagnostics(file_name, source);
  Scenario scenario;
  if (const auto root = parse(source, diagnostics)) {
    scenario = read_root(*root, {project, load, diagnostics});
  }
  if (!diagnostics.empty()) return std::unexpected(diagnostics.take());
  return scenario;
}

std::expected<std::string, std::vector<project::Diagnostic>> read_project_path(std::string_view source,
                                                                               std::string_view file_name) {
  Diagnostics diagnostics(file_name, source);
  std::string path;
  if (const auto root = parse(source, diagnostics)) {
    Fields fields({"", root->position, &*root}, diagnostics);
    if (root->kind == YamlKind::map) path = read_project(fields, diagnostics);
  }
  if (!diagnostics.empty()) return std::unexpected(diagnostics.take());
  return path;
}

}  // namespace ganglion::scenario

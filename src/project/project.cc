#include "project/project.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/sha256.h"
#include "project/agents.h"
#include "project/coordination.h"
#include "project/fields.h"
#include "project/mentions.h"
#include "project/topics.h"
#include "project/triggers.h"
#include "project/workflows.h"
#include "project/yaml.h"

namespace ganglion::project {
namespace {

constexpr std::int64_t kFormat = 1;

void read_format(Fields& fields, Diagnostics& diagnostics) {
  const auto format = fields.take("ganglion");
  if (!format) {
    diagnostics.add(fields.owner().position, "ganglion",
                    "the version of the format is missing: write \"ganglion: 1\"");
    return;
  }
  if (format->value->kind == YamlKind::integer && integer_of(*format->value) == kFormat) return;
  diagnostics.add(format->position, format->path,
                  "expected format 1, the only one there is, got " + describe(*format->value));
}

void read_root(const YamlNode& root, Project& project, Diagnostics& diagnostics) {
  Fields fields({"", root.position, &root}, diagnostics);
  if (root.kind != YamlKind::map) return;
  read_format(fields, diagnostics);
  Defaults defaults;
  if (const auto field = fields.take("defaults")) defaults = read_defaults(*field, diagnostics);
  Agents agents;
  if (const auto field = fields.take("agents")) {
    agents = read_agents(*field, defaults, diagnostics);
  } else if (defaults.fallback) {
    read_fallback(*defaults.fallback, "", agents, diagnostics);
  }
  if (const auto field = fields.take("workers")) project.workers = read_workers(*field, diagnostics);
  if (const auto field = fields.take("topics")) project.topics = read_topics(*field, diagnostics);
  const auto workflows = fields.take("workflows");
  const WorkflowNames names = workflows ? workflow_names(*workflows) : WorkflowNames();
  if (workflows) {
    project.workflows = read_workflows(*workflows, {agents, names, project.topics, defaults}, diagnostics);
  }
  if (const auto field = fields.take("triggers")) {
    project.triggers = read_triggers(*field, names, diagnostics);
  }
  if (const auto field = fields.take("coordination")) {
    project.coordination = read_coordination(*field, names, diagnostics);
  }
  fields.refuse({"providers", "tools"});
  fields.finish();
  for (auto& [name, agent] : agents) {
    if (agent) project.agents.emplace(name, std::move(*agent));
  }
  add_reactions(project);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Loaded parse(std::string_view source, std::string_view file_name) {
  Diagnostics diagnostics(file_name, source);
  if (source.size() > kMaxProjectBytes) {
    diagnostics.add({}, "", "a project has at most " + std::to_string(kMaxProjectBytes) + " bytes");
    return std::unexpected(diagnostics.take());
  }
  const YamlDocument document = parse_yaml(source);
  for (const YamlProblem& problem : document.problems) diagnostics.add(problem.position, "", problem.message);
  auto project = std::make_shared<Project>();
  if (document.root) {
    read_root(*document.root, *project, diagnostics);
  } else if (diagnostics.empty()) {
    diagnostics.add({}, "", "the file is empty; a project begins with \"ganglion: 1\"");
  }
  if (!diagnostics.empty()) return std::unexpected(diagnostics.take());
  project->source = source;
  project->digest = sha256_hex(source);
  return project;
}

Result<std::string> read_file(const std::string& path) {
  const auto refuse = [&](const std::string& reason) {
    return fail("unreadable_project", "can't read " + path + ": " + reason);
  };
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return refuse("it is a directory");
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) return refuse(std::strerror(errno));
  // Read in pieces up to the bound: the size of a pipe isn't known beforehand.
  std::string text;
  std::array<char, 64 * 1024> piece;
  while (true) {
    const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece.data(), size);
    if (text.size() > kMaxProjectBytes) {
      return fail("project_too_large",
                  path + " has more than " + std::to_string(kMaxProjectBytes) + " bytes");
    }
    if (size < piece.size()) break;
  }
  if (std::ferror(file.get()) != 0) return refuse(std::strerror(errno));
  return text;
}

}  // namespace ganglion::project

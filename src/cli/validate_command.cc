#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/fields.h"
#include "cli/terminal_text.h"
#include "project/graph.h"
#include "project/project.h"
#include "project/triggers.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kDigestColumns = 12;

std::string diagnostic_json(const project::Diagnostic& diagnostic) {
  return JsonObject()
      .add("file", diagnostic.file)
      .add("line", std::int64_t{diagnostic.line})
      .add("column", std::int64_t{diagnostic.column})
      .add("path", diagnostic.path)
      .add("message", diagnostic.message)
      .finish();
}

std::string list_of(const std::vector<std::string>& elements) {
  std::string list = "[";
  for (const std::string& element : elements) list += (list.size() > 1 ? "," : "") + element;
  return list + "]";
}

// Those of the file. The project has one more for each agent that subscribes to topics.
std::vector<const WorkflowDefinition*> declared_workflows(const Project& project) {
  std::vector<const WorkflowDefinition*> declared;
  for (const auto& [name, workflow] : project.workflows) {
    if (!project::is_reaction(name)) declared.push_back(&workflow);
  }
  return declared;
}

// `tried` is the server's answer, if one was asked.
std::string result_json(const project::Loaded& loaded, const std::optional<Document>& tried) {
  std::vector<std::string> errors, workflows;
  if (!loaded) {
    for (const auto& diagnostic : loaded.error()) errors.push_back(diagnostic_json(diagnostic));
  } else {
    for (const WorkflowDefinition* workflow : declared_workflows(**loaded)) {
      JsonObject object;
      object.add("name", workflow->name).add("steps", static_cast<std::int64_t>(workflow->steps.size()));
      workflows.push_back(object.finish());
    }
  }
  JsonObject result;
  result.add("valid", loaded.has_value());
  if (loaded) result.add("digest", (*loaded)->digest);
  result.add_raw("errors", list_of(errors)).add_raw("workflows", list_of(workflows));
  if (tried) result.add_raw("open_runs", tried->raw("open_runs"));
  return result.finish() + "\n";
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

// `1 workflow, 4 agents; 2 agents react to events`.
std::string declarations(const Project& project) {
  std::string text = counted(declared_workflows(project).size(), "workflow") + ", " +
                     counted(project.agents.size(), "agent");
  const auto reacting = std::ranges::count_if(
      project.agents, [](const auto& entry) { return !entry.second.subscribes.empty(); });
  if (reacting > 0) {
    text += "; " + counted(static_cast<std::size_t>(reacting), "agent") +
            (reacting == 1 ? " reacts to events" : " react to events");
  }
  return text;
}

// No step calls them: what connects them is the topics that they subscribe to and publish.
void print_reactions(const Project& project) {
  std::size_t columns = 0;
  for (const auto& [name, agent] : project.agents) {
    if (!agent.subscribes.empty()) columns = std::max(columns, columns_of(name));
  }
  if (columns == 0) return;
  write(Stream::output, "agents that react to events\n\n");
  for (const auto& [name, agent] : project.agents) {
    if (agent.subscribes.empty()) continue;
    std::string line = padded(name, columns) + "  ← " + joined(agent.subscribes);
    if (!agent.publishes.empty()) line += "  → " + joined(agent.publishes);
    write(Stream::output, printable(line) + "\n");
  }
}

// A graph has lines of its own; each is made printable.
void print_graph(const std::string& graph) {
  for (std::size_t at = 0; at < graph.size();) {
    const std::size_t end = std::min(graph.find('\n', at), graph.size());
    write(Stream::output, printable(std::string_view(graph).substr(at, end - at)) + "\n");
    at = end + 1;
  }
}

// What the file would mean for runs that are open: they end under the definition that they began with.
void print_open_runs(const Document& tried) {
  const Fields open = Fields(tried.text).object("open_runs");
  const auto affected = open.list("affected");
  const std::string total = counted(static_cast<std::size_t>(open.number("total")), "open run");
  if (affected.empty()) {
    write(Stream::output, total + " there; no workflow of theirs would change\n");
    return;
  }
  write(Stream::output, total + " there; these would go on under an older definition:\n");
  for (const std::string_view one : affected) {
    const Fields workflow(one);
    const std::string name = workflow.text("workflow");
    const std::string what = project::is_reaction(name) ? "agent " + name.substr(1) : name;
    const std::string digest = workflow.text("definition").substr(0, kDigestColumns);
    write(Stream::output,
          printable("  " + what + ": " + counted(static_cast<std::size_t>(workflow.number("runs")), "run") +
                    " of definition " + digest + ", which is " + workflow.text("change")) +
              "\n");
  }
}

Outcome<Document> try_on(const std::string& server, const std::string& source) {
  auto connection = connect_to({.server = server}, nullptr);
  if (!connection) return std::unexpected(connection.error());
  auto tried = connection->api->try_project(source);
  if (tried && tried->raw("open_runs") == "null") {
    return give_up(ExitCode::unreachable, server + " doesn't say what the file would mean for its open runs");
  }
  return tried;
}

}  // namespace

Outcome<ExitCode> execute(const ValidateCommand& command, const HostFactory&) {
  const auto source = project::read_file(command.file);
  if (!source) return give_up(ExitCode::usage, source.error().message);
  const auto loaded = project::parse(*source, command.file);
  std::optional<Document> tried;
  if (loaded && command.server) {
    auto answer = try_on(*command.server, *source);
    if (!answer) return std::unexpected(answer.error());
    tried = *std::move(answer);
  }
  if (command.format == Format::json) {
    write(Stream::output, result_json(loaded, tried));
    return loaded ? ExitCode::done : ExitCode::usage;
  }
  if (!loaded) {
    for (const auto& diagnostic : loaded.error()) say(diagnostic.text());
    return give_up(ExitCode::usage, command.file + " has " + counted(loaded.error().size(), "error"));
  }
  const Project& project = **loaded;
  if (command.graph) {
    for (const WorkflowDefinition* workflow : declared_workflows(project)) {
      print_graph(project::graph(*workflow) + "\n");
    }
    print_reactions(project);
  } else {
    write(Stream::output, printable(command.file + ": valid; " + declarations(project)) + "\n");
  }
  if (tried) print_open_runs(*tried);
  return ExitCode::done;
}

}  // namespace ganglion::cli

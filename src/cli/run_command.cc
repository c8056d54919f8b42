#include <algorithm>
#include <memory>
#include <utility>

#include "base/json_text.h"
#include "cli/argument_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/fields.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/pretty_json.h"
#include "cli/run_display.h"
#include "cli/sub_run_demands.h"
#include "project/project.h"
#include "project/suggestion.h"

namespace ganglion::cli {
namespace {

// A run that somebody waits for, and the engine that does it.
struct Watched {
  Connection connection;
  std::function<Outcome<Connection>()> reconnect;
  Document run;
  Target target;
  Format format;
};

ConnectOptions watching(const Target& target, const std::shared_ptr<WorkerOutput>& output) {
  ConnectOptions options;
  options.target = target;
  options.agents = AgentsRole::on;
  options.on_worker_output = [output](const std::string& worker, const std::string& line) {
    output->push(worker, line);
  };
  // What a person must act on; the rest of an engine's log is for servers.
  options.on_log = [output](const std::string& line) {
    if (line.contains("\"level\":\"error\"")) output->push("engine", line);
  };
  return options;
}

RunTree tree_of(const Document& run) {
  std::vector<std::string> names;
  RunTree::Needs needs;
  JsonMembers steps(run.raw("steps"));
  while (const auto step = steps.next()) {
    const auto name = read_json_string("\"" + std::string(step->name) + "\"");
    if (!name) continue;
    names.push_back(*name);
    for (const std::string_view need : Fields(step->value).list("needs")) {
      if (auto other = read_json_string(need)) needs[*name].push_back(*std::move(other));
    }
  }
  return RunTree(run.text_of("id"), run.text_of("workflow"), std::move(names), std::move(needs));
}

std::string how_to_resume(const Watched& watched) {
  return "ganglion resume " + watched.run.text_of("id") + target_arguments(watched.target);
}

ExitCode interrupted(Watched& watched) {
  const std::string id = watched.run.text_of("id");
  const bool here = watched.connection.where == Where::here;
  complain(here ? "interrupted; everything that run " + id + " has done is stored. To go on:\n  " +
                      how_to_resume(watched)
                : "run " + id + " goes on at " + watched.connection.api->server() +
                      ". To follow it again:\n  " + how_to_resume(watched));
  if (watched.connection.host) watched.connection.host->stop();
  return ExitCode::interrupted;
}

std::string error_text(const Document& run) {
  std::string text;
  JsonMembers error(run.raw("error"));
  while (const auto member = error.next()) {
    const auto part = read_json_string(member->value);
    if (!part) continue;
    if (member->name == "step") text = "step " + *part + ": " + text;
    if (member->name == "code") text += *part;
    if (member->name == "message") text += ": " + *part;
  }
  return text;
}

// The output, or the whole run, to standard output; what went wrong to standard error.
ExitCode report(const Document& run, Format format) {
  const std::string id = run.text_of("id"), status = run.text_of("status");
  if (format == Format::json) {
    write(Stream::output, run.text + "\n");
  } else if (status == "completed") {
    const std::string output(run.raw("output"));
    write(Stream::output, (is_terminal(Stream::output) ? pretty_json(output) : output) + "\n");
  }
  if (status == "completed") return ExitCode::done;
  if (status == "cancelled") {
    complain("run " + id + " was cancelled");
  } else {
    complain("run " + id + " failed: " + error_text(run) + "\n`ganglion runs retry " + id +
             "`, then `ganglion resume " + id + "`, goes on from there");
  }
  return ExitCode::failed;
}

Outcome<ExitCode> watch(Watched watched, WorkerOutput& output, const Interrupts& interrupts) {
  const DisplayMode mode = watched.format == Format::json ? DisplayMode::silent : display_mode();
  RunDisplay display(mode, tree_of(watched.run), output, target_arguments(watched.target));
  JournalCursor cursor{.run = watched.run.text_of("id")};
  SubRunDemands below(cursor.run, target_arguments(watched.target));
  const auto on_tick = [&] {
    if (display.tree().has_sub_run() && below.is_due()) {
      // While the connection streams the journal.
      const auto api = watched.connection.api->another();
      for (const std::string& demand : below.ask(*api)) display.demand(demand);
    }
    display.tick();
  };
  const FollowSink sink{.on_entry = [&](const JournalEntry& entry) { display.apply(entry); },
                        .on_tick = on_tick,
                        .on_note = [&](const std::string& line) { display.note("ganglion: " + line); }};
  const auto end = follow(watched.connection, watched.reconnect, cursor, sink, interrupts);
  display.finish();
  if (!end) return std::unexpected(end.error());
  if (*end == FollowEnd::interrupted) return interrupted(watched);
  const auto run = watched.connection.api->run(cursor.run);
  if (!run) return std::unexpected(run.error());
  const ExitCode exit = report(*run, watched.format);
  if (watched.connection.host) watched.connection.host->stop();
  return exit;
}

// A workflow that the engine doesn't know is the likeliest mistake, and worth more than what the server says
// about it.
Failure submit_failure(Api& api, const std::string& workflow, Failure failure) {
  if (failure.exit != ExitCode::usage) return failure;
  const auto known = api.workflows();
  if (!known || std::ranges::find(*known, workflow) != known->end()) return failure;
  std::string text = "no workflow \"" + workflow + "\"" + project::did_you_mean(workflow, *known);
  if (known->empty())
    return {ExitCode::usage, text + "; the engine has no project: name one with -f, or `ganglion init`"};
  text += " (there is:";
  for (const std::string& name : *known) text += " " + name;
  return {ExitCode::usage, text + ")"};
}

// A server elsewhere gets the project only where it is named; the one that holds this store may have an older
// one.
Outcome<void> offer_project(Connection& connection, const RunCommand& command) {
  if (connection.where == Where::here) return {};
  const auto path = project_file(command.file);
  if (!path) return {};
  const auto source = project::read_file(*path);
  if (!source) return give_up(ExitCode::usage, source.error().message);
  if (command.file) return connection.api->put_project(*source);
  if (connection.where != Where::holder_of_store) return {};
  const auto active = connection.api->project(std::nullopt);
  if (active && *active != *source) {
    complain("the server at " + connection.api->server() + " has another " + *path + " than this; -f " +
             *path + " gives it this one");
  }
  return {};
}

}  // namespace

Outcome<ExitCode> execute(const RunCommand& command, const HostFactory& make_host) {
  auto input = json_argument(command.input, "--input");
  if (!input) return std::unexpected(input.error());
  const Interrupts interrupts;
  const auto output = std::make_shared<WorkerOutput>();
  ConnectOptions options = watching(command.target, output);
  options.project_file = project_file(command.file);
  options.create_store = options.project_file.has_value();
  if (command.detach) options.agents = AgentsRole::off;
  auto connection = connect(options, make_host);
  if (!connection) return std::unexpected(connection.error());
  if (auto offered = offer_project(*connection, command); !offered) return std::unexpected(offered.error());
  auto run = connection->api->submit({.workflow = command.workflow,
                                      .input = *std::move(input),
                                      .session = command.session,
                                      .labels = command.labels});
  if (!run) return std::unexpected(submit_failure(*connection->api, command.workflow, run.error()));
  if (command.detach) {
    write(Stream::output, (command.format == Format::json ? run->text : run->text_of("id")) + "\n");
    if (connection->where == Where::here) {
      complain("nobody works on it yet; `ganglion serve` or `ganglion resume " + run->text_of("id") +
               "` does");
    }
    return ExitCode::done;
  }
  auto reconnect = [&] { return connect(options, make_host); };
  return watch({.connection = *std::move(connection),
                .reconnect = reconnect,
                .run = *std::move(run),
                .target = command.target,
                .format = command.format},
               *output, interrupts);
}

Outcome<ExitCode> execute(const ResumeCommand& command, const HostFactory& make_host) {
  const Interrupts interrupts;
  const auto output = std::make_shared<WorkerOutput>();
  const ConnectOptions options = watching(command.target, output);
  auto connection = connect(options, make_host);
  if (!connection) return std::unexpected(connection.error());
  auto run = connection->api->run(command.run);
  if (!run) return std::unexpected(run.error());
  const std::string status = run->text_of("status");
  if (status == "completed" || status == "failed" || status == "cancelled")
    return report(*run, command.format);
  if (status == "paused") {
    if (auto resumed = connection->api->tell(command.run, "resume"); !resumed)
      return std::unexpected(resumed.error());
  }
  auto reconnect = [&] { return connect(options, make_host); };
  return watch({.connection = *std::move(connection),
                .reconnect = reconnect,
                .run = *std::move(run),
                .target = command.target,
                .format = command.format},
               *output, interrupts);
}

}  // namespace ganglion::cli

#include <cstdint>
#include <map>
#include <utility>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/journal_text.h"
#include "cli/run_summary.h"
#include "cli/terminal_text.h"
#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"
#include "project/project.h"

namespace ganglion::cli {
namespace {

struct Change {
  std::string what;  // "run", or a step's name
  std::string from, to;
};

struct Transition {
  JournalEntry entry;
  std::vector<Change> changes;
};

struct Replayed {
  std::unique_ptr<Run> run;
  std::vector<Transition> transitions;
};

// The status of the run and of each of its steps.
std::vector<std::string> statuses(const Run& run) {
  std::vector<std::string> all = {std::string(run.status())};
  for (std::size_t i = 0; i < run.steps().size(); ++i) {
    all.emplace_back(run.step_status(StepIndex(static_cast<std::uint32_t>(i))));
  }
  return all;
}

std::vector<Change> changes_between(const Run& run, const std::vector<std::string>& before,
                                    const std::vector<std::string>& after) {
  std::vector<Change> changes;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (before[i] == after[i]) continue;
    changes.push_back({i == 0 ? "run" : run.workflow().steps[i - 1].name, before[i], after[i]});
  }
  return changes;
}

Outcome<Replayed> replay(const RunId& id, std::shared_ptr<const Project> project,
                         std::vector<JournalEntry> journal) {
  const auto corrupt = [](const Error& error) { return give_up(ExitCode::unreachable, error.message); };
  const auto created = decode_created(journal.front());
  if (!created) return corrupt(created.error());
  const auto workflow = project->workflows.find(created->workflow);
  if (workflow == project->workflows.end()) {
    return corrupt(
        {"corrupt_journal", "the project that the run started with has no workflow " + created->workflow});
  }
  Replayed replayed;
  replayed.run = std::make_unique<Run>(id, project, workflow->second);
  std::vector<std::string> before(workflow->second.steps.size() + 1, "pending");
  before.front() = "";
  for (JournalEntry& entry : journal) {
    if (auto folded = fold_next(*replayed.run, entry); !folded) return corrupt(folded.error());
    std::vector<std::string> after = statuses(*replayed.run);
    replayed.transitions.push_back({std::move(entry), changes_between(*replayed.run, before, after)});
    before = std::move(after);
  }
  return replayed;
}

std::string replay_json(const Replayed& replayed) {
  std::string transitions = "[";
  for (const Transition& transition : replayed.transitions) {
    std::string changes = "[";
    for (const Change& change : transition.changes) {
      JsonObject object;
      object.add("of", change.what).add("from", change.from).add("to", change.to);
      changes += (changes.size() > 1 ? "," : "") + object.finish();
    }
    JsonObject object;
    object.add_raw("event", entry_json(transition.entry)).add_raw("changes", changes + "]");
    transitions += (transitions.size() > 1 ? ",\n " : "") + object.finish();
  }
  JsonObject result;
  return result.add_raw("transitions", transitions + "]").add_raw("run", run_json(*replayed.run)).finish() +
         "\n";
}

std::string replay_text(const Replayed& replayed, std::size_t columns) {
  std::string out;
  Narrator narrator;
  for (const Transition& transition : replayed.transitions) {
    out +=
        padded_left(std::to_string(transition.entry.seq), 5) + "  " + narrator.line(transition.entry) + "\n";
    for (const Change& change : transition.changes) {
      const std::string from = change.from.empty() ? "" : change.from + " → ";
      out += "         " + printable(change.what) + ": " + from + change.to + "\n";
    }
  }
  return out + "\n" + run_summary(run_json(*replayed.run), columns);
}

}  // namespace

Outcome<ExitCode> execute(const ReplayCommand& command, const HostFactory& make_host) {
  const auto id = RunId::parse(command.run);
  if (!id) return give_up(ExitCode::usage, "\"" + command.run + "\" is not the id of a run");
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  auto journal = connection->api->journal(command.run, 0);
  if (!journal) return std::unexpected(journal.error());
  if (journal->empty()) return give_up(ExitCode::usage, "the journal of run " + command.run + " is empty");
  const auto definition = text_of(journal->front(), "definition");
  const auto source = connection->api->project(definition);
  if (!source) return std::unexpected(source.error());
  if (connection->host) connection->host->stop();

  // From here on nothing but the journal and the project file.
  const auto loaded = project::parse(*source, "stored project");
  if (!loaded)
    return give_up(ExitCode::unreachable, "this version can't read the project that the run started with: " +
                                              loaded.error().front().text());
  if (definition && (*loaded)->digest != *definition) {
    return give_up(ExitCode::unreachable,
                   "the server doesn't have the project that the run started with, only another one");
  }
  if (command.until) {
    std::erase_if(*journal, [&](const JournalEntry& entry) { return entry.seq > *command.until; });
    if (journal->empty()) return give_up(ExitCode::usage, "--until: the first entry is 1");
  }
  const auto replayed = replay(*id, *loaded, *std::move(journal));
  if (!replayed) return std::unexpected(replayed.error());
  write(Stream::output,
        command.format == Format::json ? replay_json(*replayed) : replay_text(*replayed, output_columns()));
  return ExitCode::done;
}

}  // namespace ganglion::cli

#include <cstdint>
#include <utility>

#include "base/json_text.h"
#include "cli/argument_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/elapsed.h"
#include "cli/follow.h"
#include "cli/interrupts.h"
#include "cli/journal_text.h"
#include "cli/json_list.h"
#include "cli/run_summary.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

std::string labels_text(const Document& run) {
  std::string text;
  JsonMembers labels(run.raw("labels"));
  while (const auto label = labels.next()) {
    const auto value = read_json_string(label->value);
    if (value) text += (text.empty() ? "" : ",") + std::string(label->name) + "=" + *value;
  }
  return text;
}

// Prints the journal as it grows, as text or as JSON.
class JournalPrinter {
 public:
  explicit JournalPrinter(Format format) : format_(format) {}

  void print(const JournalEntry& entry) {
    write(Stream::output, (format_ == Format::json ? entry_line(entry) : narrator_.line(entry)) + "\n");
  }

 private:
  static std::string entry_line(const JournalEntry& entry) {
    JsonObject object;
    object.add("seq", static_cast<std::int64_t>(entry.seq))
        .add("at", format_rfc3339(entry.at))
        .add("type", entry.type);
    if (entry.step) object.add("step", *entry.step);
    if (entry.item) object.add("item", std::int64_t{*entry.item});
    if (entry.attempt) object.add("attempt", std::int64_t{*entry.attempt});
    return object.add_raw("data", entry.data).finish();
  }

  Format format_;
  Narrator narrator_;
};

// A run after something was done about it.
void tell_run(const Document& run, Format format, const std::string& more) {
  write(Stream::output,
        format == Format::json
            ? run.text + "\n"
            : printable("run " + run.text_of("id") + " is " + run.text_of("status") + more) + "\n");
}

// An engine of our own doesn't work on runs.
void say_if_idle(const Document& run, const Connection& connection) {
  const std::string status = run.text_of("status");
  const bool goes_on = status == "running" || status == "waiting";
  if (!goes_on || connection.where != Where::here) return;
  complain("nobody works on it yet; `ganglion resume " + run.text_of("id") + "` or `ganglion serve` does");
}

}  // namespace

Outcome<ExitCode> execute(const RunsListCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto runs = connection->api->runs({.workflow = command.workflow,
                                           .status = command.status,
                                           .session = command.session,
                                           .parent = command.parent,
                                           .labels = command.labels,
                                           .limit = command.limit});
  if (!runs) return std::unexpected(runs.error());
  if (command.format == Format::json) {
    write(Stream::output, list_text(texts_of(*runs)));
    return ExitCode::done;
  }
  Table table{.header = {"RUN", "WORKFLOW", "STATUS", "CREATED", "TOOK", "LABELS"}, .rows = {}};
  for (const Document& run : *runs) {
    table.rows.push_back({run.text_of("id"), run.text_of("workflow"), run.text_of("status"),
                          run.text_of("created_at"), took(run.text_of("created_at"), run.text_of("ended_at")),
                          labels_text(run)});
  }
  if (table.rows.empty()) {
    say("no runs");
  } else {
    write(Stream::output, render(table, output_columns()));
  }
  return ExitCode::done;
}

Outcome<ExitCode> execute(const RunsShowCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto run = connection->api->run(command.run);
  if (!run) return std::unexpected(run.error());
  write(Stream::output,
        command.format == Format::json ? run->text + "\n" : run_summary(run->text, output_columns()));
  return ExitCode::done;
}

Outcome<ExitCode> execute(const RunsJournalCommand& command, const HostFactory& make_host) {
  auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  JournalPrinter printer(command.format);
  // An engine of our own doesn't work on runs: to follow one there would hold the store and see nothing.
  const bool follows = command.follow && connection->where != Where::here;
  if (!follows) {
    const auto entries = connection->api->journal(command.run, command.after);
    if (!entries) return std::unexpected(entries.error());
    for (const JournalEntry& entry : *entries) printer.print(entry);
    if (command.follow)
      complain("no server works on this store; `ganglion resume " + command.run +
               "` follows the run to its end");
    return ExitCode::done;
  }
  const Interrupts interrupts;
  JournalCursor cursor{.run = command.run, .last_seq = command.after};
  const auto reconnect = [&] { return connect_to(command.target, make_host); };
  const FollowSink sink{.on_entry = [&](const JournalEntry& entry) { printer.print(entry); },
                        .on_tick = [] {},
                        .on_note = [](const std::string& line) { complain(line); }};
  const auto end = follow(*connection, reconnect, cursor, sink, interrupts);
  if (!end) return std::unexpected(end.error());
  return *end == FollowEnd::interrupted ? ExitCode::interrupted : ExitCode::done;
}

Outcome<ExitCode> execute(const RunsVerbCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto run = connection->api->tell(command.run, command.verb);
  if (!run) return std::unexpected(run.error());
  tell_run(*run, command.format, "");
  say_if_idle(*run, *connection);
  return ExitCode::done;
}

Outcome<ExitCode> execute(const RunsForkCommand& command, const HostFactory& make_host) {
  std::optional<std::string> input;
  if (command.input) {
    auto read = json_argument(*command.input, "--input");
    if (!read) return std::unexpected(read.error());
    input = *std::move(read);
  }
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto run = connection->api->fork(command.run, command.from_step, input);
  if (!run) return std::unexpected(run.error());
  tell_run(*run, command.format, ", a fork of " + command.run + " from step " + command.from_step + " on");
  say_if_idle(*run, *connection);
  return ExitCode::done;
}

Outcome<ExitCode> execute(const RunsSignalCommand& command, const HostFactory& make_host) {
  auto data = json_argument(command.data, "--data");
  if (!data) return std::unexpected(data.error());
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto run = connection->api->signal(command.run, command.name, *std::move(data));
  if (!run) return std::unexpected(run.error());
  tell_run(*run, command.format, " and has the signal " + command.name);
  say_if_idle(*run, *connection);
  return ExitCode::done;
}

}  // namespace ganglion::cli

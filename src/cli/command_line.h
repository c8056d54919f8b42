#pragma once

// What the user asked for, as data: one struct per command. CLI11 reads the arguments, in command_line.cc
// alone.

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/coordination.h"

namespace ganglion::cli {

inline constexpr const char* kDefaultStore = "sqlite:.ganglion/ganglion.db";
inline constexpr const char* kDefaultBus = "embedded:";
inline constexpr const char* kDefaultProject = "ganglion.yaml";

// What GANGLION_STORE says, else kDefaultStore: a store's URL may hold a password, which `ps` would show.
std::string default_store();

enum class Format { text, json };

// Which engine answers.
struct Target {
  std::optional<std::string> server;  // a URL; else the store's
  std::string store = default_store();
};

struct InitCommand {
  std::string directory = ".";
};

struct ValidateCommand {
  std::string file = kDefaultProject;
  bool graph = false;
  std::optional<std::string> server;  // asked what the file would mean for its open runs
  Format format = Format::text;
};

struct RunCommand {
  Target target;
  std::string workflow;
  std::optional<std::string> file;
  std::string input = "{}";  // JSON, @FILE or -
  std::optional<std::string> session;
  std::map<std::string, std::string> labels;
  bool detach = false;
  Format format = Format::text;
};

struct ResumeCommand {
  Target target;
  std::string run;
  Format format = Format::text;
};

enum class LogFormat { off, text, json };

struct ServeCommand {
  std::optional<std::string> file;
  std::string listen = "127.0.0.1:7420";
  std::string store = default_store();
  std::string bus = kDefaultBus;
  std::optional<std::string> audit;  // postgres://…
  std::optional<Strategy> strategy;  // else the project's
  std::vector<std::string> domains;  // each once; none: all
  Roles roles;
  std::optional<std::string> token;
  std::optional<LogFormat> log;  // else by where standard error goes
  bool log_transitions = false;
};

struct RunsListCommand {
  Target target;
  std::optional<std::string> workflow, status, session, parent;
  std::map<std::string, std::string> labels;
  std::size_t limit = 50;
  Format format = Format::text;
};

struct RunsShowCommand {
  Target target;
  std::string run;
  Format format = Format::text;
};

struct RunsJournalCommand {
  Target target;
  std::string run;
  std::uint64_t after = 0;
  bool follow = false;
  Format format = Format::text;
};

struct RunsVerbCommand {
  Target target;
  std::string verb;  // cancel, pause, resume, retry
  std::string run;
  Format format = Format::text;
};

struct RunsForkCommand {
  Target target;
  std::string run;
  std::string from_step;
  std::optional<std::string> input;  // JSON, @FILE or -
  Format format = Format::text;
};

struct RunsSignalCommand {
  Target target;
  std::string run;
  std::string name;
  std::string data = "null";  // JSON, @FILE or -
  Format format = Format::text;
};

struct ReplayCommand {
  Target target;
  std::string run;
  std::optional<std::uint64_t> until;
  Format format = Format::text;
};

struct TaxCommand {
  Target target;
  std::optional<std::string> run;       // else the newest one
  std::optional<std::string> workflow;  // averages over its last runs
  Format format = Format::text;
};

struct AgentsCommand {
  Target target;
  std::optional<std::string> name;  // one, with its details
  Format format = Format::text;
};

struct ApprovalsListCommand {
  Target target;
  std::optional<std::string> run;
  Format format = Format::text;
};

struct ApprovalsDecideCommand {
  Target target;
  std::string decision;  // approve, reject
  std::string approval;  // its id, RUN or RUN/STEP
  std::optional<std::string> by, comment;
  std::optional<std::string> output;  // JSON, @FILE or -: a human agent's task
  std::optional<std::string> digest;  // of what somebody has seen before
  bool yes = false;
  Format format = Format::text;
};

struct DlqListCommand {
  Target target;
  std::optional<std::string> run, kind;
  std::size_t limit = 50;
  Format format = Format::text;
};

// What a verb on dead letters is about: some by their ids, or all of them.
struct DlqSelection {
  std::vector<std::string> ids;
  bool all = false;
};

struct DlqRequeueCommand {
  Target target;
  DlqSelection selection;
  Format format = Format::text;
};

struct DlqPurgeCommand {
  Target target;
  DlqSelection selection;
  bool yes = false;
  Format format = Format::text;
};

struct EventsTailCommand {
  Target target;
  std::optional<std::string> topic;    // a pattern
  std::size_t last = 10;               // events of the past to begin with
  std::optional<std::uint64_t> after;  // or everything after this one
  bool follow = true;
  Format format = Format::text;
};

struct EventsPublishCommand {
  Target target;
  std::string type;
  std::optional<std::string> data;  // JSON, @FILE or -
  std::string source = "/ganglion/cli";
  std::optional<std::string> id, subject;
  std::optional<std::uint32_t> topic_version;
  Format format = Format::text;
};

struct EvalCommand {
  std::optional<std::string> expression;
  std::optional<std::string> bindings;  // JSON or @FILE
  std::optional<std::string> vectors;
  Format format = Format::text;
};

struct SimCommand {
  std::string scenario;  // `engine`, or a file
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = 100;
  std::vector<std::string> only;  // names of events
  unsigned jobs = 0;              // 0: one for each processor
  std::size_t max_failures = 1;
  bool shrinks = true;
  bool timeline = false;
  std::optional<std::string> junit;  // a file
  Format format = Format::text;
};

struct BenchCommand {
  std::vector<std::string> workloads;
  std::vector<std::string> traces;  // files
  double speedup = 100;             // of traces
  std::vector<int> clients;
  std::vector<double> rates;  // runs a second; empty: a closed loop
  std::int64_t duration_ms = 0;
  std::int64_t warmup_ms = 0;
  int workers = 4;
  int batch = 256;                      // tasks an exchange
  std::size_t payload = 200;            // bytes
  std::optional<std::string> server;    // a URL; else one of its own for each row
  std::optional<std::string> token;     // for it
  std::string store = "sqlite:";        // memory:, redis://…, postgres://…
  std::optional<std::string> bus;       // redis://…, amqp://…, nats://…; else as the store has it
  std::vector<std::string> strategies;  // names; none: one server as usual
  std::vector<int> coordinators;        // of each strategy
  std::size_t in_flight = 1'200;        // runs, when a coordinator is killed
  std::optional<std::string> folder;    // else the temporary one
  std::optional<std::string> svg;       // a file
  Format format = Format::text;
};

struct CompletionCommand {
  std::string shell;  // bash, zsh, fish
};

struct VersionCommand {
  Format format = Format::text;
};

using Command =
    std::variant<InitCommand, ValidateCommand, RunCommand, ResumeCommand, ServeCommand, RunsListCommand,
                 RunsShowCommand, RunsJournalCommand, RunsVerbCommand, RunsForkCommand, RunsSignalCommand,
                 ReplayCommand, TaxCommand, AgentsCommand, ApprovalsListCommand, ApprovalsDecideCommand,
                 DlqListCommand, DlqRequeueCommand, DlqPurgeCommand, EventsTailCommand, EventsPublishCommand,
                 EvalCommand, SimCommand, BenchCommand, CompletionCommand, VersionCommand>;

// Nothing to run: a help text that was asked for (exit code 0, to standard output) or what is wrong with the
// arguments.
struct Notice {
  int exit_code = 0;
  std::string text;
};

std::expected<Command, Notice> read_command_line(int argc, const char* const* argv);

// A command with its options, for shell completion.
struct CommandSpec {
  std::vector<std::string> words;  // {"runs", "list"}; empty for ganglion itself
  std::string about;
  std::vector<std::string> options;      // "--server", "-f"
  std::vector<std::string> subcommands;  // of this one
  std::vector<std::string> choices;      // of its first argument
};
std::vector<CommandSpec> command_specs();

}  // namespace ganglion::cli

#pragma once

// The grammar of the command line, described to CLI11: of grammar*.cc each describes some of the commands. A
// command is filled in place; `chosen_` says which one it was.

#include <CLI/CLI.hpp>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"

namespace ganglion::cli {

inline constexpr int kUsage = 2;                   // exit code
inline constexpr std::size_t kMaxListed = 10'000;  // of one listing

// A part of the contract that this version lacks.
Notice not_available(const std::string& what);
// A variable that is set and not empty.
std::optional<std::string> environment(const char* name);

class Grammar {
 public:
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  std::expected<Command, Notice> parse(int argc, const char* const* argv);
  CLI::App& app() { return app_; }

 private:
  using Finish = std::function<std::expected<Command, Notice>()>;

  // The arguments of the options that have no type of their own in a command.
  struct RawOptions {
    std::vector<std::string> labels;
    std::optional<std::string> bus, strategy;
    std::vector<std::string> domains, roles;
    std::string log;
    std::vector<std::string> rates, strategies;
    std::string duration = "8s", warmup = "2s";
    bool json = false;
    bool no_follow = false;
    bool no_shrink = false;
  };

  CLI::App& add(CLI::App& parent, const char* name, Finish finish);
  // Of a command that is complete once it has its format.
  template <typename OneCommand>
  CLI::App& add_plain(CLI::App& parent, const char* name, OneCommand& command) {
    return add(parent, name, [this, &command]() -> std::expected<Command, Notice> {
      command.format = format();
      return Command(command);
    });
  }
  // A word that only stands before others: `ganglion runs`.
  CLI::App& add_group(const char* name);
  void add_target(CLI::App& command, Target& target);
  void add_json(CLI::App& command, const char* what);
  void add_labels(CLI::App& command, const char* what);
  void add_limit(CLI::App& command, std::size_t& limit);

  void add_project_commands();
  void add_run_commands();
  void add_small_commands();
  // grammar_serve.cc
  void add_serve();
  void add_sharing(CLI::App& serve);
  std::expected<void, Notice> finish_sharing();
  std::expected<Command, Notice> finish_serve();
  // grammar_runs.cc
  void add_runs();
  void add_runs_verb(CLI::App& runs, const char* verb);
  void add_runs_fork_and_signal(CLI::App& runs);
  void add_analysis_commands();
  void add_sim();
  // grammar_bench.cc
  void add_bench();
  void add_strategies(CLI::App& bench);
  std::expected<std::vector<std::string>, Notice> workloads() const;
  std::expected<void, Notice> finish_strategies();
  std::expected<Command, Notice> finish_bench();
  // grammar_people.cc
  void add_agents();
  void add_approvals();
  void add_approvals_verb(CLI::App& approvals, const char* verb);
  void add_dlq();
  void add_selection(CLI::App& command, DlqSelection& selection);
  void add_events();

  Format format() const { return raw_.json ? Format::json : Format::text; }
  std::expected<std::map<std::string, std::string>, Notice> labels() const;

  CLI::App app_;
  RawOptions raw_;
  Finish chosen_;

  InitCommand init_;
  ValidateCommand validate_;
  RunCommand run_;
  ResumeCommand resume_;
  ServeCommand serve_;
  RunsListCommand list_;
  RunsShowCommand show_;
  RunsJournalCommand journal_;
  std::deque<RunsVerbCommand> verbs_;  // their addresses are given to CLI11
  RunsForkCommand fork_;
  RunsSignalCommand signal_;
  ReplayCommand replay_;
  TaxCommand tax_;
  AgentsCommand agents_;
  ApprovalsListCommand approvals_;
  std::deque<ApprovalsDecideCommand> decisions_;  // as above
  DlqListCommand dead_letters_;
  DlqRequeueCommand requeue_;
  DlqPurgeCommand purge_;
  EventsTailCommand tail_;
  EventsPublishCommand publish_;
  EvalCommand eval_;
  SimCommand sim_;
  BenchCommand bench_;
  CompletionCommand completion_;
};

}  // namespace ganglion::cli

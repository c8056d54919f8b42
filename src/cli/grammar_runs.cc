// The commands about runs.

#include "cli/grammar.h"
#include "cli/help.h"

namespace ganglion::cli {

void Grammar::add_runs() {
  CLI::App& runs = add_group("runs");
  CLI::App& list = add(runs, "list", [this]() -> std::expected<Command, Notice> {
    auto pairs = labels();
    if (!pairs) return std::unexpected(pairs.error());
    list_.labels = *std::move(pairs);
    list_.format = format();
    return Command(list_);
  });
  list.add_option("--workflow", list_.workflow, "Only runs of this workflow")->type_name("NAME");
  list.add_option("--status", list_.status, "running, waiting, paused, completed, failed or cancelled")
      ->type_name("STATUS")
      ->check(CLI::IsMember({"running", "waiting", "paused", "completed", "failed", "cancelled"})
                  .description(""));
  list.add_option("--session", list_.session, "Only runs of this session")->type_name("ID");
  add_labels(list, "Only runs with this label; may be repeated");
  list.add_option("--parent", list_.parent, "Only runs that a step of this run has started")
      ->type_name("RUN");
  add_limit(list, list_.limit);
  add_target(list, list_.target);
  add_json(list, "Print a JSON list");

  CLI::App& show = add_plain(runs, "show", show_);
  show.add_option("RUN", show_.run, "Id of the run")->required()->type_name("");
  add_target(show, show_.target);
  add_json(show, "Print the run as JSON");

  CLI::App& journal = add_plain(runs, "journal", journal_);
  journal.add_option("RUN", journal_.run, "Id of the run")->required()->type_name("");
  journal.add_option("--after", journal_.after, "Only entries after this one")->type_name("SEQ");
  journal.add_flag("--follow", journal_.follow, "Go on until the run has ended");
  add_target(journal, journal_.target);
  add_json(journal, "Print one JSON object a line");

  for (const char* verb : {"cancel", "pause", "resume", "retry"}) add_runs_verb(runs, verb);
  add_runs_fork_and_signal(runs);
}

void Grammar::add_runs_fork_and_signal(CLI::App& runs) {
  CLI::App& fork = add_plain(runs, "fork", fork_);
  fork.add_option("RUN", fork_.run, "Id of the run")->required()->type_name("");
  fork.add_option("--from", fork_.from_step, "The step to begin with; what it needs is shared")
      ->required()
      ->type_name("STEP");
  fork.add_option("--input", fork_.input, "Another input than the shared one: JSON, @FILE, or -")
      ->type_name("JSON");
  add_target(fork, fork_.target);
  add_json(fork, "Print the new run as JSON");

  CLI::App& signal = add_plain(runs, "signal", signal_);
  signal.add_option("RUN", signal_.run, "Id of the run")->required()->type_name("");
  signal.add_option("NAME", signal_.name, "What a step waits for")->required()->type_name("");
  signal.add_option("--data", signal_.data, "What comes with it: JSON, @FILE, or - (default null)")
      ->type_name("JSON");
  add_target(signal, signal_.target);
  add_json(signal, "Print the run as JSON");
}

void Grammar::add_runs_verb(CLI::App& runs, const char* verb) {
  RunsVerbCommand& command = verbs_.emplace_back();
  command.verb = verb;
  CLI::App& parser = add_plain(runs, verb, command);
  parser.add_option("RUN", command.run, "Id of the run")->required()->type_name("");
  add_target(parser, command.target);
  add_json(parser, "Print the run as JSON");
}

void Grammar::add_sim() {
  CLI::App& sim = add(app_, "sim", [this]() -> std::expected<Command, Notice> {
    if (!sim_.only.empty() && !sim_.seed) {
      return std::unexpected(Notice{kUsage, "--only is about the events of one seed: give --seed as well"});
    }
    sim_.shrinks = !raw_.no_shrink;
    sim_.format = format();
    return Command(sim_);
  });
  sim.add_option("SCENARIO", sim_.scenario, "A scenario file, or `engine`: the test of the engine itself")
      ->required()
      ->type_name("");
  sim.add_option("--seeds", sim_.seeds, "How many seeds (default 100)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}).description(""));
  sim.add_option("--seed", sim_.seed, "Only this seed")->type_name("S");
  sim.add_option("--only", sim_.only, "Of the seed's events let only these happen: EVENT,EVENT,…")
      ->type_name("EVENTS")
      ->delimiter(',');
  sim.add_option("--jobs", sim_.jobs, "Processes at once (default: one for each processor)")
      ->type_name("N")
      ->check(CLI::Range(1u, 256u).description(""));
  sim.add_option("--max-failures", sim_.max_failures, "Stop after so many seeds that fail (default 1)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000}).description(""));
  sim.add_flag("--no-shrink", raw_.no_shrink, "Don't look for the few events that a failure needs");
  sim.add_flag("--timeline", sim_.timeline,
               "Tell the story of the failure, or of the one seed, step by step");
  sim.add_option("--junit", sim_.junit, "Also write a report in JUnit's XML to this file")->type_name("FILE");
  add_json(sim, "Print the report as JSON");
}

void Grammar::add_analysis_commands() {
  CLI::App& replay = add_plain(app_, "replay", replay_);
  replay.add_option("RUN", replay_.run, "Id of the run")->required()->type_name("");
  replay.add_option("--until", replay_.until, "Stop after this entry: the state at that moment")
      ->type_name("SEQ");
  add_target(replay, replay_.target);
  add_json(replay, "Print {transitions, run} as JSON");

  CLI::App& tax = add(app_, "tax", [this]() -> std::expected<Command, Notice> {
    if (tax_.run && tax_.workflow) {
      return std::unexpected(
          Notice{kUsage, "tax takes either a run or --workflow; see `ganglion tax --help`"});
    }
    tax_.format = format();
    return Command(tax_);
  });
  tax.add_option("RUN", tax_.run, "Id of the run (default: the newest one)")->type_name("");
  tax.add_option("--workflow", tax_.workflow, "Averages over the last runs of this workflow, at most 50")
      ->type_name("NAME");
  add_target(tax, tax_.target);
  add_json(tax, "Print it as JSON");

  CLI::App& eval = add(app_, "eval", [this]() -> std::expected<Command, Notice> {
    if (eval_.expression.has_value() == eval_.vectors.has_value()) {
      return std::unexpected(
          Notice{kUsage, "eval takes either an expression or --vectors FILE; see `ganglion eval --help`"});
    }
    eval_.format = format();
    return Command(eval_);
  });
  eval.add_option("EXPR", eval_.expression,
                  "An expression, without ${{ }}; after -- if it begins with a minus")
      ->type_name("");
  eval.add_option("--bindings", eval_.bindings, "The names in it: a JSON object or @FILE")->type_name("JSON");
  eval.add_option("--vectors", eval_.vectors, "Run test vectors, one JSON object a line")->type_name("FILE");
  add_json(eval, "Print what came out as JSON");
}

}  // namespace ganglion::cli

#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <sstream>
#include <string_view>

#include "cli/help.h"
#include "project/suggestion.h"

namespace ganglion::cli {
namespace {

constexpr int kUsage = 2;
constexpr std::size_t kMaxListed = 10'000;
constexpr std::size_t kHelpColumns = 90;

// In the contract, and still to come.
constexpr auto kComing =
    std::to_array<std::string_view>({"tax", "agents", "dlq", "approvals", "events", "sim", "bench", "token"});

Notice not_available(const std::string& what) {
  return {kUsage, what + " is not available yet in this version; `ganglion --help` lists what is"};
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

// The arguments of the options that have no type of their own in a command.
struct RawOptions {
  std::vector<std::string> labels;
  std::string bus, strategy, domain, roles, log;
  bool json = false;
};

// Breaks a text into lines of at most so many columns, at blanks.
std::string wrapped(const std::string& text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  for (const std::string& word : CLI::detail::split(text, ' ')) {
    const bool fits = used + word.size() < columns;
    if (!out.empty()) out += fits ? ' ' : '\n';
    used = fits ? used + word.size() + 1 : word.size();
    out += word;
  }
  return out;
}

// Lists a command with its first clause, and gives all of its description in its own help.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    return wrapped(app->get_description(), kHelpColumns) + "\n\n";
  }

  std::string make_subcommand(const CLI::App* command) const override {
    const std::string description = command->get_description();
    std::ostringstream out;
    const std::string about = description.substr(0, description.find_first_of(".:;"));
    CLI::detail::format_help(out, command->get_name(), about, column_width_);
    return out.str();
  }
};

// The whole command line, described to CLI11. A command is filled in place; `chosen` says which one it was.
class Grammar {
 public:
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  std::expected<Command, Notice> parse(int argc, const char* const* argv);
  CLI::App& app() { return app_; }

 private:
  CLI::App& add(CLI::App& parent, const char* name, std::function<std::expected<Command, Notice>()> finish);
  void add_target(CLI::App& command, Target& target);
  void add_json(CLI::App& command, const char* what);
  void add_labels(CLI::App& command, const char* what);
  void add_project_commands();
  void add_run_commands();
  void add_serve();
  void add_runs();
  void add_runs_verb(CLI::App& runs, const char* verb);
  void add_analysis_commands();
  void add_small_commands();
  Format format() const { return raw_.json ? Format::json : Format::text; }
  std::expected<std::map<std::string, std::string>, Notice> labels() const;
  std::expected<Command, Notice> finish_serve();

  CLI::App app_{std::string(about("")), "ganglion"};
  RawOptions raw_;
  std::function<std::expected<Command, Notice>()> chosen_;

  InitCommand init_;
  ValidateCommand validate_;
  RunCommand run_;
  ResumeCommand resume_;
  ServeCommand serve_;
  RunsListCommand list_;
  RunsShowCommand show_;
  RunsJournalCommand journal_;
  std::deque<RunsVerbCommand> verbs_;  // their addresses are given to CLI11
  ReplayCommand replay_;
  EvalCommand eval_;
  CompletionCommand completion_;
};

Grammar::Grammar() {
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.require_subcommand(0, 1);
  app_.get_formatter()->column_width(32);
  app_.get_formatter()->label("REQUIRED", "");
  app_.footer(std::string(examples("")));
  app_.set_help_flag("-h,--help", "This text");
  app_.add_flag_callback(
      "--version", [this] { chosen_ = [] { return Command(VersionCommand{}); }; }, "The version");
  add_project_commands();
  add_run_commands();
  add_serve();
  add_runs();
  add_analysis_commands();
  add_small_commands();
}

CLI::App& Grammar::add(CLI::App& parent, const char* name,
                       std::function<std::expected<Command, Notice>()> finish) {
  const std::string path = &parent == &app_ ? name : parent.get_name() + " " + name;
  CLI::App& command = *parent.add_subcommand(name, std::string(about(path)));
  command.footer(std::string(examples(path)));
  command.callback([this, finish = std::move(finish)] { chosen_ = finish; });
  return command;
}

void Grammar::add_target(CLI::App& command, Target& target) {
  command.add_option("--server", target.server, "URL of a running server; also GANGLION_SERVER")
      ->type_name("URL");
  command
      .add_option("--store", target.store,
                  std::string("Without a server: the store (default ") + kDefaultStore + ")")
      ->type_name("STORE");
}

void Grammar::add_json(CLI::App& command, const char* what) {
  command.add_flag("--json", raw_.json, what);
}

void Grammar::add_labels(CLI::App& command, const char* what) {
  command.add_option("--label", raw_.labels, what)->type_name("KEY=VALUE")->allow_extra_args(false);
}

std::expected<std::map<std::string, std::string>, Notice> Grammar::labels() const {
  std::map<std::string, std::string> labels;
  for (const std::string& label : raw_.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(Notice{kUsage, "--label: \"" + label + "\" is not KEY=VALUE"});
    }
    labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return labels;
}

void Grammar::add_project_commands() {
  CLI::App& init = add(app_, "init", [this] { return Command(init_); });
  init.add_option("DIR", init_.directory, "Where to put it; made if need be (default: here)")->type_name("");

  CLI::App& validate = add(app_, "validate", [this]() -> std::expected<Command, Notice> {
    validate_.format = format();
    return Command(validate_);
  });
  validate.add_option("FILE", validate_.file, "The project file (default ganglion.yaml)")->type_name("");
  validate.add_flag("--graph", validate_.graph, "Print each workflow's steps, by level");
  add_json(validate, "Print the result as JSON");
}

void Grammar::add_run_commands() {
  CLI::App& run = add(app_, "run", [this]() -> std::expected<Command, Notice> {
    auto pairs = labels();
    if (!pairs) return std::unexpected(pairs.error());
    run_.labels = *std::move(pairs);
    run_.format = format();
    return Command(run_);
  });
  run.add_option("WORKFLOW", run_.workflow, "Name of a workflow of the project")->required()->type_name("");
  run.add_option("-f,--file", run_.file, "The project file (default ganglion.yaml where there is one)")
      ->type_name("FILE");
  run.add_option("--input", run_.input, "The input: JSON, @FILE, or - for standard input (default {})")
      ->type_name("JSON");
  add_target(run, run_.target);
  run.add_option("--session", run_.session, "Session that the run belongs to")->type_name("ID");
  add_labels(run, "A label to find it by; may be repeated");
  run.add_flag("--detach", run_.detach, "Print the run's id as soon as it is durable, and leave");
  add_json(run, "Print the whole run as JSON instead of its output");

  CLI::App& resume = add(app_, "resume", [this]() -> std::expected<Command, Notice> {
    resume_.format = format();
    return Command(resume_);
  });
  resume.add_option("RUN", resume_.run, "Id of the run")->required()->type_name("");
  add_target(resume, resume_.target);
  add_json(resume, "Print the whole run as JSON instead of its output");
}

void Grammar::add_serve() {
  CLI::App& serve = add(app_, "serve", [this] { return finish_serve(); });
  serve.add_option("-f,--file", serve_.file, "The project file (default ganglion.yaml where there is one)")
      ->type_name("FILE");
  serve
      .add_option("--listen", serve_.listen,
                  "Address to answer at (default 127.0.0.1:7420); port 0 is a free one")
      ->type_name("HOST:PORT");
  serve
      .add_option("--store", serve_.store,
                  std::string("sqlite:PATH or memory: (default ") + kDefaultStore + ")")
      ->type_name("STORE");
  serve
      .add_option("--token", serve_.token,
                  "Bearer token of clients; better in GANGLION_TOKEN, where `ps` doesn't show it")
      ->type_name("TOKEN");
  serve
      .add_option("--log", raw_.log,
                  "json, text or off, on standard error (default: text on a terminal, else json)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json", "text", "off"}).description(""));
  serve.add_flag("--log-transitions", serve_.log_transitions, "A log line for every transition of every run");
  // Known to the contract; what they would do beyond the default is still to come.
  serve.add_option("--bus", raw_.bus)->group("");
  serve.add_option("--strategy", raw_.strategy)->group("");
  serve.add_option("--domain", raw_.domain)->group("");
  serve.add_option("--roles", raw_.roles)->group("");
}

std::expected<Command, Notice> Grammar::finish_serve() {
  if (!raw_.bus.empty() && raw_.bus != "embedded:")
    return std::unexpected(not_available("--bus " + raw_.bus));
  if (!raw_.strategy.empty() && raw_.strategy != "mesh")
    return std::unexpected(not_available("--strategy " + raw_.strategy));
  if (!raw_.domain.empty()) return std::unexpected(not_available("--domain"));
  if (!raw_.roles.empty()) {
    std::vector<std::string> roles = CLI::detail::split(raw_.roles, ',');
    std::ranges::sort(roles);
    const std::vector<std::string> all = {"agents", "coordinator", "ingress"};
    if (roles != all) return std::unexpected(not_available("--roles " + raw_.roles));
  }
  if (raw_.log == "json") serve_.log = LogFormat::json;
  if (raw_.log == "text") serve_.log = LogFormat::text;
  if (raw_.log == "off") serve_.log = LogFormat::off;
  if (!serve_.token) serve_.token = environment("GANGLION_TOKEN");
  return Command(serve_);
}

void Grammar::add_runs() {
  CLI::App& runs = *app_.add_subcommand("runs", std::string(about("runs")));
  runs.footer(std::string(examples("runs")));
  runs.require_subcommand(1, 1);

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
  list.add_option("--limit", list_.limit, "At most so many (default 50)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMaxListed).description(""));
  add_target(list, list_.target);
  add_json(list, "Print a JSON list");

  CLI::App& show = add(runs, "show", [this]() -> std::expected<Command, Notice> {
    show_.format = format();
    return Command(show_);
  });
  show.add_option("RUN", show_.run, "Id of the run")->required()->type_name("");
  add_target(show, show_.target);
  add_json(show, "Print the run as JSON");

  CLI::App& journal = add(runs, "journal", [this]() -> std::expected<Command, Notice> {
    journal_.format = format();
    return Command(journal_);
  });
  journal.add_option("RUN", journal_.run, "Id of the run")->required()->type_name("");
  journal.add_option("--after", journal_.after, "Only entries after this one")->type_name("SEQ");
  journal.add_flag("--follow", journal_.follow, "Go on until the run has ended");
  add_target(journal, journal_.target);
  add_json(journal, "Print one JSON object a line");

  for (const char* verb : {"cancel", "pause", "resume", "retry"}) add_runs_verb(runs, verb);
}

void Grammar::add_runs_verb(CLI::App& runs, const char* verb) {
  RunsVerbCommand& command = verbs_.emplace_back();
  command.verb = verb;
  CLI::App& parser = add(runs, verb, [this, &command]() -> std::expected<Command, Notice> {
    command.format = format();
    return Command(command);
  });
  parser.add_option("RUN", command.run, "Id of the run")->required()->type_name("");
  add_target(parser, command.target);
  add_json(parser, "Print the run as JSON");
}

void Grammar::add_analysis_commands() {
  CLI::App& replay = add(app_, "replay", [this]() -> std::expected<Command, Notice> {
    replay_.format = format();
    return Command(replay_);
  });
  replay.add_option("RUN", replay_.run, "Id of the run")->required()->type_name("");
  replay.add_option("--until", replay_.until, "Stop after this entry: the state at that moment")
      ->type_name("SEQ");
  add_target(replay, replay_.target);
  add_json(replay, "Print {transitions, run} as JSON");

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

void Grammar::add_small_commands() {
  CLI::App& completion = add(app_, "completion", [this] { return Command(completion_); });
  completion.add_option("SHELL", completion_.shell, "bash, zsh or fish")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}).description(""));
  CLI::App& version = add(app_, "version", [this] { return Command(VersionCommand{format()}); });
  add_json(version, "Print it as JSON");
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::expected<Command, Notice> Grammar::parse(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Notice{0, app_.help()});
  } catch (const CLI::ParseError& error) {
    const auto chosen = app_.get_subcommands();
    const CLI::App* command = chosen.empty() ? nullptr : chosen.front();
    const std::string name = command ? " " + command->get_name() : "";
    return std::unexpected(Notice{kUsage, one_line(error.what()) + "; see `ganglion" + name + " --help`"});
  }
  if (!chosen_) return std::unexpected(Notice{0, app_.help()});
  return chosen_();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void describe(CLI::App& app, const std::vector<std::string>& words, std::vector<CommandSpec>& specs) {
  CommandSpec spec{.words = words,
                   .about = std::string(about(joined(words))),
                   .options = {},
                   .subcommands = {},
                   .choices = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() || option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) spec.options.push_back("--" + name);
    for (const std::string& name : option->get_snames()) spec.options.push_back("-" + name);
  }
  const auto commands = app.get_subcommands([](CLI::App*) { return true; });
  for (const CLI::App* command : commands) spec.subcommands.push_back(command->get_name());
  if (joined(words) == "completion") spec.choices = {"bash", "zsh", "fish"};
  specs.push_back(std::move(spec));
  for (CLI::App* command : commands) {
    auto longer = words;
    longer.push_back(command->get_name());
    describe(*command, longer, specs);
  }
}

// A first word that is no command, or one that is still to come.
std::optional<Notice> check_command(CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty() || words.front().starts_with('-')) return std::nullopt;
  const std::string& first = words.front();
  if (std::ranges::find(kComing, first) != kComing.end()) return not_available("`ganglion " + first + "`");
  if (first == "runs" && words.size() > 1 && words[1] == "fork") return not_available("`ganglion runs fork`");
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    known.push_back(command->get_name());
  if (std::ranges::find(known, first) != known.end()) return std::nullopt;
  return Notice{kUsage, "no command \"" + first + "\"" + project::did_you_mean(first, known) +
                            "; see `ganglion --help`"};
}

}  // namespace

std::expected<Command, Notice> read_command_line(int argc, const char* const* argv) {
  Grammar grammar;
  if (auto notice = check_command(grammar.app(), {argv + std::min(argc, 1), argv + argc})) {
    return std::unexpected(*std::move(notice));
  }
  return grammar.parse(argc, argv);
}

std::vector<CommandSpec> command_specs() {
  Grammar grammar;
  std::vector<CommandSpec> specs;
  describe(grammar.app(), {}, specs);
  return specs;
}

}  // namespace ganglion::cli

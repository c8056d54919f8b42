#include "cli/grammar.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string_view>

#include "cli/help.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kHelpColumns = 90;

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

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace

Notice not_available(const std::string& what) {
  return {kUsage, what + " is not available yet in this version; `ganglion --help` lists what is"};
}

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string default_store() {
  return environment("GANGLION_STORE").value_or(kDefaultStore);
}

Grammar::Grammar() : app_(std::string(about("")), "ganglion") {
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
  add_sim();
  add_bench();
  add_analysis_commands();
  add_agents();
  add_approvals();
  add_dlq();
  add_events();
  add_small_commands();
}

CLI::App& Grammar::add(CLI::App& parent, const char* name, Finish finish) {
  const std::string path = &parent == &app_ ? name : parent.get_name() + " " + name;
  CLI::App& command = *parent.add_subcommand(name, std::string(about(path)));
  command.footer(std::string(examples(path)));
  command.callback([this, finish = std::move(finish)] { chosen_ = finish; });
  return command;
}

CLI::App& Grammar::add_group(const char* name) {
  CLI::App& group = *app_.add_subcommand(name, std::string(about(name)));
  group.footer(std::string(examples(name)));
  group.require_subcommand(1, 1);
  return group;
}

void Grammar::add_limit(CLI::App& command, std::size_t& limit) {
  command.add_option("--limit", limit, "At most so many (default 50)")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMaxListed).description(""));
}

void Grammar::add_target(CLI::App& command, Target& target) {
  command.add_option("--server", target.server, "URL of a running server; also GANGLION_SERVER")
      ->type_name("URL");
  command
      .add_option(
          "--store", target.store,
          std::string("Without a server: the store; also GANGLION_STORE (default ") + kDefaultStore + ")")
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

  CLI::App& validate = add_plain(app_, "validate", validate_);
  validate.add_option("FILE", validate_.file, "The project file (default ganglion.yaml)")->type_name("");
  validate.add_flag("--graph", validate_.graph, "Print each workflow's steps, by level");
  validate
      .add_option("--server", validate_.server,
                  "Also ask this server which of its open runs would go on under an older definition")
      ->type_name("URL");
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

  CLI::App& resume = add_plain(app_, "resume", resume_);
  resume.add_option("RUN", resume_.run, "Id of the run")->required()->type_name("");
  add_target(resume, resume_.target);
  add_json(resume, "Print the whole run as JSON instead of its output");
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

}  // namespace ganglion::cli

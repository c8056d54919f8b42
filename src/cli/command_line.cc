#include "cli/command_line.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "cli/grammar.h"
#include "cli/help.h"
#include "project/suggestion.h"

namespace ganglion::cli {
namespace {

// In the contract, and still to come.
constexpr auto kComing = std::to_array<std::string_view>({"token"});

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

std::vector<std::string> commands_of(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

// A word that is no command, or one that is still to come.
std::optional<Notice> check_command(CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty() || words.front().starts_with('-')) return std::nullopt;
  const std::string& first = words.front();
  if (std::ranges::find(kComing, first) != kComing.end()) return not_available("`ganglion " + first + "`");
  const auto known = commands_of(app);
  if (std::ranges::find(known, first) == known.end()) {
    return Notice{kUsage, "no command \"" + first + "\"" + project::did_you_mean(first, known) +
                              "; see `ganglion --help`"};
  }
  const auto below = commands_of(*app.get_subcommand(first));
  if (below.empty() || words.size() == 1 || words[1].starts_with('-') ||
      std::ranges::find(below, words[1]) != below.end()) {
    return std::nullopt;
  }
  return Notice{kUsage, "no command \"" + first + " " + words[1] + "\"" +
                            project::did_you_mean(words[1], below) + "; see `ganglion " + first + " --help`"};
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

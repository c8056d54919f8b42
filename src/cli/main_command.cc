#include "cli/main_command.h"

#include <csignal>
#include <variant>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/console.h"

namespace ganglion::cli {

Outcome<ExitCode> execute(const CompletionCommand& command, const HostFactory&) {
  write(Stream::output, completion_script(command.shell, command_specs()));
  return ExitCode::done;
}

Outcome<ExitCode> execute(const VersionCommand& command, const HostFactory&) {
  write(Stream::output, command.format == Format::json
                            ? JsonObject().add("version", GANGLION_VERSION).finish() + "\n"
                            : "ganglion " GANGLION_VERSION "\n");
  return ExitCode::done;
}

int main_command(int argc, char** argv, const HostFactory& make_host, const Simulate& simulate,
                 const Benchmark& benchmark) {
  // A reader of standard output that leaves early is not an error worth dying of.
  std::signal(SIGPIPE, SIG_IGN);
  const auto command = read_command_line(argc, argv);
  if (!command) {
    const Notice& notice = command.error();
    if (notice.exit_code == 0) {
      write(Stream::output, notice.text);
    } else {
      complain(notice.text);
    }
    return notice.exit_code;
  }
  const auto end = std::visit(Overloaded{[&](const SimCommand& chosen) { return simulate(chosen); },
                                         [&](const BenchCommand& chosen) { return benchmark(chosen); },
                                         [&](const auto& chosen) { return execute(chosen, make_host); }},
                              *command);
  if (end) return static_cast<int>(*end);
  complain(end.error().text);
  return static_cast<int>(end.error().exit);
}

}  // namespace ganglion::cli

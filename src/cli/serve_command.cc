#include <string_view>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/interrupts.h"

namespace ganglion::cli {
namespace {

// `{"at":…,"level":"info","event":"x","run":"y"}` as `… info x run=y`.
std::string log_text(const std::string& json) {
  std::string text;
  JsonMembers members(json);
  while (const auto member = members.next()) {
    const auto written = read_json_string(member->value);
    const std::string value = written ? *written : std::string(member->value);
    const bool bare =
        member->name == "at" || member->name == "time" || member->name == "level" || member->name == "event";
    text += (text.empty() ? "" : " ") + (bare ? value : std::string(member->name) + "=" + value);
  }
  return members.intact() && !text.empty() ? text : json;
}

LogFormat log_format(const ServeCommand& command) {
  return command.log.value_or(is_terminal(Stream::messages) ? LogFormat::text : LogFormat::json);
}

HostOptions host_options(const ServeCommand& command) {
  HostOptions options{.store = command.store,
                      .bus = command.bus,
                      .audit = command.audit,
                      .listen = command.listen,
                      .strategy = command.strategy,
                      .domains = command.domains,
                      .roles = command.roles,
                      .project_file = project_file(command.file),
                      .token = command.token,
                      .agents = AgentsRole::on,
                      .transitions = command.log_transitions ? TransitionLog::on : TransitionLog::off,
                      .on_worker_output = {},
                      .on_log = {}};
  const LogFormat format = log_format(command);
  options.on_worker_output = [format](const std::string& worker, const std::string& line) {
    if (format == LogFormat::json) {
      write(
          Stream::messages,
          JsonObject().add("event", "worker_output").add("worker", worker).add("line", line).finish() + "\n");
    } else {
      say(worker + ": " + line);
    }
  };
  options.on_log = [format](const std::string& line) {
    if (format == LogFormat::json) write(Stream::messages, line + "\n");
    if (format == LogFormat::text) say(log_text(line));
  };
  return options;
}

// A file with errors is a person's business even where nothing is logged.
void reload(Host& host, LogFormat format) {
  const auto reloaded = host.reload();
  if (!reloaded && format == LogFormat::off) {
    complain("the project stays as it was: " + reloaded.error().message);
  }
}

}  // namespace

Outcome<ExitCode> execute(const ServeCommand& command, const HostFactory& make_host) {
  const Interrupts interrupts(Hangups::wake);
  auto host = make_host(host_options(command));
  if (!host) return std::unexpected(failure_of_host(host.error(), command.store));
  complain("listening on " + (*host)->url());
  for (const std::string& promise : (*host)->weaker_promises()) complain("weaker than promised: " + promise);
  while (interrupts.wait() == Wake::hangup) reload(**host, log_format(command));
  complain("stopping; open runs go on at the next start");
  (*host)->stop();
  return ExitCode::done;
}

}  // namespace ganglion::cli

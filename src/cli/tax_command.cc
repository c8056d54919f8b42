#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/tax_text.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxAveraged = 50;

// The newest runs of a workflow that have ended, whichever way.
Outcome<std::vector<std::string>> ended_runs(Api& api, const std::string& workflow) {
  std::vector<std::string> ids;
  for (const char* status : {"completed", "failed", "cancelled"}) {
    RunFilter filter;
    filter.workflow = workflow;
    filter.status = status;
    filter.limit = kMaxAveraged;
    const auto runs = api.runs(filter);
    if (!runs) return std::unexpected(runs.error());
    for (const Document& run : *runs) ids.push_back(run.text_of("id"));
  }
  // Ids sort by time.
  std::ranges::sort(ids, std::ranges::greater());
  ids.resize(std::min(ids.size(), kMaxAveraged));
  return ids;
}

Outcome<std::string> newest_run(Api& api) {
  RunFilter filter;
  filter.limit = 1;
  const auto runs = api.runs(filter);
  if (!runs) return std::unexpected(runs.error());
  if (runs->empty()) return give_up(ExitCode::usage, "there is no run yet");
  return runs->front().text_of("id");
}

void print_lines(std::string_view tax) {
  const std::size_t columns = is_terminal(Stream::output) ? output_columns() : 80;
  for (const StyledLine& line : tax_lines(tax, {.columns = columns, .symbols = symbols_of_locale()})) {
    write(Stream::output, render(line, columns, colour_of(Stream::output)) + "\n");
  }
}

Outcome<ExitCode> average(Api& api, const TaxCommand& command) {
  const auto ids = ended_runs(api, *command.workflow);
  if (!ids) return std::unexpected(ids.error());
  if (ids->empty()) {
    return give_up(ExitCode::usage, "no run of workflow \"" + *command.workflow + "\" has ended yet");
  }
  std::vector<Document> taxes;
  for (const std::string& id : *ids) {
    auto tax = api.tax(id);
    if (!tax) return std::unexpected(tax.error());
    taxes.push_back(*std::move(tax));
  }
  const std::string mean = average_tax(texts_of(taxes));
  if (command.format == Format::json) {
    JsonObject result;
    result.add("workflow", *command.workflow).add("runs", static_cast<std::int64_t>(taxes.size()));
    write(Stream::output, result.add_raw("average", mean).finish() + "\n");
  } else {
    const std::string runs = taxes.size() == 1 ? "1 run" : std::to_string(taxes.size()) + " runs";
    write(Stream::output, printable("workflow " + *command.workflow + ", average of " + runs) + "\n\n");
    print_lines(mean);
  }
  return ExitCode::done;
}

}  // namespace

Outcome<ExitCode> execute(const TaxCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  if (command.workflow) return average(*connection->api, command);
  const auto id = command.run ? Outcome<std::string>(*command.run) : newest_run(*connection->api);
  if (!id) return std::unexpected(id.error());
  const auto tax = connection->api->tax(*id);
  if (!tax) return std::unexpected(tax.error());
  if (command.format == Format::json) {
    write(Stream::output, tax->text + "\n");
    return ExitCode::done;
  }
  write(Stream::output, printable("run " + *id) + "\n\n");
  print_lines(tax->text);
  const std::string path = critical_path_table(tax->text, output_columns());
  if (!path.empty()) write(Stream::output, "\ncritical path\n" + path);
  return ExitCode::done;
}

}  // namespace ganglion::cli

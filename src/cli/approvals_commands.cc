#include <optional>
#include <string>
#include <utility>

#include "cli/approval_text.h"
#include "cli/argument_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/fields.h"
#include "cli/json_list.h"
#include "cli/terminal_text.h"
#include "core/ids.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxApprovals = 10'000;

// The run that every name of an approval begins with: only its approvals need be listed.
std::optional<std::string> run_of(const std::string& named) {
  const std::string run = named.substr(0, RunId::kLength);
  return RunId::parse(run) ? std::optional(run) : std::nullopt;
}

// Whether the person wants it, after they have seen it. Without anybody to ask it must have been said before.
Outcome<bool> agreed(const ApprovalsDecideCommand& command, const Fields& approval) {
  if (command.digest && *command.digest != approval.text("digest")) {
    return give_up(ExitCode::usage, "something else is to be decided now: its digest is " +
                                        approval.text("digest") + "; nothing was decided");
  }
  if (command.yes || command.digest) return true;
  if (!can_ask()) {
    return give_up(ExitCode::usage,
                   "there is no terminal to ask at; --digest " + approval.text("digest") +
                       " decides on exactly what is shown above, --yes on whatever is there");
  }
  return ask(command.decision + " this?");
}

}  // namespace

Outcome<ExitCode> execute(const ApprovalsListCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto approvals = connection->api->approvals(command.run, kMaxApprovals);
  if (!approvals) return std::unexpected(approvals.error());
  const auto texts = texts_of(*approvals);
  if (command.format == Format::json) {
    write(Stream::output, list_text(texts));
  } else if (texts.empty()) {
    complain("nothing waits for a person");
  } else {
    write(Stream::output, approvals_table(texts, output_columns()));
  }
  return ExitCode::done;
}

Outcome<ExitCode> execute(const ApprovalsDecideCommand& command, const HostFactory& make_host) {
  Verdict verdict{
      .decision = command.decision, .digest = {}, .by = command.by, .comment = command.comment, .output = {}};
  if (command.output) {
    auto output = json_argument(*command.output, "--output");
    if (!output) return std::unexpected(output.error());
    verdict.output = *std::move(output);
  }
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto listed = connection->api->approvals(run_of(command.approval), kMaxApprovals);
  if (!listed) return std::unexpected(listed.error());
  const auto found = find_approval(texts_of(*listed), command.approval);
  if (!found) return give_up(ExitCode::usage, found.error());

  const Fields approval(*found);
  if (command.format == Format::text || !command.yes) write(Stream::messages, approval_details(*found));
  const auto decided = agreed(command, approval);
  if (!decided) return std::unexpected(decided.error());
  if (!*decided) {
    complain("nothing was decided");
    return ExitCode::failed;
  }
  // The digest of what was shown: had it changed meanwhile, the server refuses.
  verdict.digest = approval.text("digest");
  const auto answer = connection->api->decide(approval.text("id"), verdict);
  if (!answer) return std::unexpected(answer.error());
  if (command.format == Format::json) {
    write(Stream::output, answer->text + "\n");
  } else {
    const std::string by = answer->text_of("by");
    write(Stream::output, printable(approval.text("run_id") + "/" + approval.place() +
                                    (command.decision == "approve" ? " is approved" : " is rejected") +
                                    (by.empty() ? "" : " by " + by)) +
                              "\n");
  }
  if (connection->where == Where::here) {
    complain("nobody works on its run yet; `ganglion resume " + approval.text("run_id") +
             "` or `ganglion serve` does");
  }
  return ExitCode::done;
}

}  // namespace ganglion::cli

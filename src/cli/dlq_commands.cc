#include <string>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/dead_letter_text.h"
#include "cli/fields.h"
#include "cli/json_list.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxListed = 10'000;

Outcome<std::vector<std::string>> ids_of(Api& api, const DlqSelection& selection) {
  if (!selection.all) return selection.ids;
  const auto letters = api.dead_letters({.run = {}, .kind = {}, .limit = kMaxListed});
  if (!letters) return std::unexpected(letters.error());
  std::vector<std::string> ids;
  for (const Document& letter : *letters) ids.push_back(letter.text_of("id"));
  return ids;
}

std::string requeued_text(const std::string& id, const Document& answer) {
  const Fields fields(answer.text);
  if (fields.has("run_id")) return id + ": run " + fields.text("run_id") + " goes on with it";
  return id + ": published as event " + fields.text("event_seq");
}

std::string counted(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " dead letter" : " dead letters");
}

Outcome<ExitCode> purge_all(Api& api, Format format) {
  const auto answer = api.drop_dead_letters();
  if (!answer) return std::unexpected(answer.error());
  write(Stream::output, format == Format::json
                            ? answer->text + "\n"
                            : "removed dead letters: " + Fields(answer->text).text("purged") + "\n");
  return ExitCode::done;
}

}  // namespace

Outcome<ExitCode> execute(const DlqListCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto letters =
      connection->api->dead_letters({.run = command.run, .kind = command.kind, .limit = command.limit});
  if (!letters) return std::unexpected(letters.error());
  const auto texts = texts_of(*letters);
  if (command.format == Format::json) {
    write(Stream::output, list_text(texts));
  } else if (texts.empty()) {
    complain("there are no dead letters");
  } else {
    write(Stream::output, dead_letters_table(texts, output_columns()));
  }
  return ExitCode::done;
}

// One that can't be requeued doesn't keep the others from it.
Outcome<ExitCode> execute(const DlqRequeueCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto ids = ids_of(*connection->api, command.selection);
  if (!ids) return std::unexpected(ids.error());
  std::vector<std::string> answers;
  ExitCode exit = ExitCode::done;
  for (const std::string& id : *ids) {
    const auto answer = connection->api->requeue(id);
    if (!answer && answer.error().exit != ExitCode::usage) return std::unexpected(answer.error());
    if (!answer) {
      complain(id + ": " + answer.error().text);
      exit = answer.error().exit;
    } else if (command.format == Format::json) {
      answers.push_back(answer->text);
    } else {
      write(Stream::output, printable(requeued_text(id, *answer)) + "\n");
    }
  }
  if (command.format == Format::json) write(Stream::output, list_text({answers.begin(), answers.end()}));
  return exit;
}

Outcome<ExitCode> execute(const DlqPurgeCommand& command, const HostFactory& make_host) {
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const std::vector<std::string>& ids = command.selection.ids;
  if (!command.yes) {
    if (!can_ask()) return give_up(ExitCode::usage, "there is no terminal to ask at; --yes purges without");
    const std::string what = command.selection.all ? "all dead letters" : counted(ids.size());
    if (!ask("remove " + what + " for good?")) {
      complain("nothing was removed");
      return ExitCode::failed;
    }
  }
  if (command.selection.all) return purge_all(*connection->api, command.format);
  std::int64_t purged = 0;
  ExitCode exit = ExitCode::done;
  for (const std::string& id : ids) {
    const auto dropped = connection->api->drop_dead_letter(id);
    if (!dropped && dropped.error().exit != ExitCode::usage) return std::unexpected(dropped.error());
    if (!dropped) {
      complain(id + ": " + dropped.error().text);
      exit = dropped.error().exit;
    } else {
      ++purged;
    }
  }
  write(Stream::output, command.format == Format::json
                            ? JsonObject().add("purged", purged).finish() + "\n"
                            : "removed dead letters: " + std::to_string(purged) + "\n");
  return exit;
}

}  // namespace ganglion::cli

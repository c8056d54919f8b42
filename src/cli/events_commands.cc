#include <algorithm>
#include <cstdint>
#include <utility>

#include "cli/argument_text.h"
#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/console.h"
#include "cli/event_stream.h"
#include "cli/event_text.h"
#include "cli/fields.h"
#include "cli/interrupts.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxListed = 10'000;

class EventPrinter {
 public:
  explicit EventPrinter(Format format) : format_(format) {}

  void print(const std::string& event) const {
    if (format_ == Format::json) return write(Stream::output, event + "\n");
    // Elsewhere a line is whole, however long.
    const std::size_t columns = is_terminal(Stream::output) ? output_columns() : SIZE_MAX;
    write(Stream::output, render(event_line(event), columns, colour_of(Stream::output)) + "\n");
  }

 private:
  Format format_;
};

// What is there already, oldest first: the last few, or everything after a seq that can be listed.
Outcome<std::vector<Document>> past(Api& api, const EventsTailCommand& command) {
  const std::size_t limit = command.after ? kMaxListed : command.last;
  if (limit == 0) return std::vector<Document>();
  auto events = api.events(command.topic, limit);
  if (!events) return events;
  std::ranges::reverse(*events);
  if (command.after) {
    std::erase_if(*events, [&](const Document& event) {
      return Fields(event.text).number("seq") <= static_cast<double>(*command.after);
    });
  }
  return events;
}

// The newest event of all topics: what comes after it is new.
Outcome<std::uint64_t> newest(Api& api) {
  const auto events = api.events(std::nullopt, 1);
  if (!events) return std::unexpected(events.error());
  return events->empty() ? 0 : static_cast<std::uint64_t>(Fields(events->front().text).number("seq"));
}

}  // namespace

Outcome<ExitCode> execute(const EventsTailCommand& command, const HostFactory& make_host) {
  auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const EventPrinter printer(command.format);
  EventCursor cursor{.topic = command.topic, .last_seq = command.after.value_or(0)};
  // An engine of our own publishes nothing: to wait there would hold the store and see nothing.
  const bool follows = command.follow && connection->where != Where::here;
  if (!follows || !command.after) {
    // First where the log ends, then what is there: between the two no event gets lost.
    const auto end = newest(*connection->api);
    if (!end) return std::unexpected(end.error());
    const auto events = past(*connection->api, command);
    if (!events) return std::unexpected(events.error());
    for (const Document& event : *events) printer.print(event.text);
    cursor.last_seq = *end;
    if (!events->empty()) {
      const auto last = static_cast<std::uint64_t>(Fields(events->back().text).number("seq"));
      cursor.last_seq = std::max(cursor.last_seq, last);
    }
  }
  if (!follows) {
    if (command.follow) complain("no server works on this store; `ganglion serve` does");
    return ExitCode::done;
  }
  const Interrupts interrupts;
  const auto find = [&] { return connect_to_holder(command.target); };
  const EventSink sink{.on_event = [&](const std::string& event) { printer.print(event); },
                       .on_note = [](const std::string& line) { complain(line); }};
  if (auto followed = follow_events(*connection, find, cursor, sink, interrupts); !followed)
    return std::unexpected(followed.error());
  return ExitCode::interrupted;
}

Outcome<ExitCode> execute(const EventsPublishCommand& command, const HostFactory& make_host) {
  EventDraft draft{.id = command.id.value_or(fresh_key()),
                   .source = command.source,
                   .type = command.type,
                   .subject = command.subject,
                   .topic_version = command.topic_version,
                   .data = {}};
  if (command.data) {
    auto data = json_argument(*command.data, "--data");
    if (!data) return std::unexpected(data.error());
    draft.data = *std::move(data);
  }
  const auto connection = connect_to(command.target, make_host);
  if (!connection) return std::unexpected(connection.error());
  const auto answer = connection->api->publish(cloud_event(draft));
  if (!answer) return std::unexpected(answer.error());
  const auto items = Fields(answer->text).list("items");
  if (items.size() != 1) {
    return give_up(ExitCode::unreachable, connection->api->server() +
                                              " is not a Ganglion server: its answer is not about one event");
  }
  const Fields event(items.front());
  if (command.format == Format::json) write(Stream::output, std::string(items.front()) + "\n");
  if (event.is_true("dead_lettered")) {
    complain("event " + draft.id + " is a dead letter: its version of the topic " + draft.type +
             " is not known; `ganglion dlq list --kind event`");
    return ExitCode::failed;
  }
  if (command.format == Format::text) {
    const std::string known = event.is_true("duplicate") ? ", and was there before" : "";
    write(Stream::output, printable("event " + draft.id + " is number " + event.text("seq") + known) + "\n");
  }
  return ExitCode::done;
}

}  // namespace ganglion::cli

#include "cli/event_stream.h"

#include <utility>

#include "cli/fields.h"
#include "cli/sse.h"
#include "cli/stream_patience.h"

namespace ganglion::cli {
namespace {

struct StreamEnd {
  Result<void> transport;
  Result<void> content;
  bool heard = false;  // any byte
};

StreamEnd follow_once(Api& api, EventCursor& cursor, const EventSink& sink, const Interrupts& interrupts) {
  StreamEnd end;
  SseParser parser;
  const auto take = [&](const SseEvent& event) {
    const auto seq = static_cast<std::uint64_t>(Fields(event.data).number("seq"));
    if (seq == 0) {
      end.content = fail("invalid_event", "the server sends something that is no event");
    } else if (end.content && seq > cursor.last_seq) {
      cursor.last_seq = seq;
      sink.on_event(event.data);
    }
  };
  const auto on_bytes = [&](std::string_view bytes) {
    end.heard = true;
    if (auto fed = parser.feed(bytes, take); !fed) end.content = std::move(fed);
    return end.content.has_value();
  };
  const StreamWatcher watcher{.on_bytes = on_bytes,
                              .on_tick = [&] { return !interrupts.arrived(); },
                              .wake_descriptor = interrupts.descriptor()};
  end.transport = api.follow_events(cursor.topic, cursor.last_seq, watcher);
  return end;
}

}  // namespace

Outcome<void> follow_events(Connection& connection, const std::function<Outcome<Connection>()>& find,
                            EventCursor& cursor, const EventSink& sink, const Interrupts& interrupts) {
  StreamPatience patience;
  while (true) {
    const StreamEnd end = follow_once(*connection.api, cursor, sink, interrupts);
    if (interrupts.arrived()) return {};
    const std::string& server = connection.api->server();
    if (!end.content) return give_up(ExitCode::unreachable, server + ": " + end.content.error().message);
    if (!end.transport && end.transport.error().code == "refused") {
      return give_up(ExitCode::usage, end.transport.error().message);
    }
    if (end.heard) patience.heard();
    if (patience.exhausted()) {
      return give_up(ExitCode::unreachable, "nothing heard from " + server + " for a minute; `--after " +
                                                std::to_string(cursor.last_seq) + "` goes on from here");
    }
    if (patience.first_loss()) sink.on_note("the connection is lost; trying again");
    if (interrupts.wait_for(patience.pause())) return {};
    if (connection.where != Where::holder_of_store) continue;
    if (auto found = find()) connection = *std::move(found);
  }
}

}  // namespace ganglion::cli

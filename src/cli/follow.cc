#include "cli/follow.h"

#include <utility>

#include "cli/journal_text.h"
#include "cli/sse.h"
#include "cli/stream_patience.h"

namespace ganglion::cli {
namespace {

struct StreamEnd {
  Result<void> transport;
  Result<void> content;
  bool heard = false;  // any byte
};

// One connection's worth of the journal.
StreamEnd follow_once(Api& api, JournalCursor& cursor, const FollowSink& sink, const Interrupts& interrupts) {
  StreamEnd end;
  SseParser parser;
  const auto take = [&](const SseEvent& event) {
    if (!end.content) return;
    const auto entry = read_entry(event.data);
    if (!entry) {
      end.content = std::unexpected(entry.error());
    } else if (entry->seq > cursor.last_seq) {
      cursor.last_seq = entry->seq;
      sink.on_entry(*entry);
    }
  };
  const auto on_bytes = [&](std::string_view bytes) {
    end.heard = true;
    if (auto fed = parser.feed(bytes, take); !fed) end.content = std::move(fed);
    return end.content.has_value();
  };
  const auto on_tick = [&] {
    sink.on_tick();
    return !interrupts.arrived();
  };
  const StreamWatcher watcher{
      .on_bytes = on_bytes, .on_tick = on_tick, .wake_descriptor = interrupts.descriptor()};
  end.transport = api.follow(cursor.run, cursor.last_seq, watcher);
  return end;
}

// Streams also end because servers stop, and break off after their last event. The run has ended for us when
// it has, and we have seen everything.
bool has_ended(Api& api, const JournalCursor& cursor) {
  const auto run = api.run(cursor.run);
  if (!run) return false;
  const std::string status = run->text_of("status");
  const bool ended = status == "completed" || status == "failed" || status == "cancelled";
  return ended && run->raw("version") == std::to_string(cursor.last_seq);
}

}  // namespace

Outcome<FollowEnd> follow(Connection& connection, const std::function<Outcome<Connection>()>& reconnect,
                          JournalCursor& cursor, const FollowSink& sink, const Interrupts& interrupts) {
  StreamPatience patience;
  while (true) {
    const StreamEnd end = follow_once(*connection.api, cursor, sink, interrupts);
    if (interrupts.arrived()) return FollowEnd::interrupted;
    if (!end.content)
      return give_up(ExitCode::unreachable, connection.api->server() + ": " + end.content.error().message);
    if (has_ended(*connection.api, cursor)) return FollowEnd::run_ended;
    if (!end.transport && end.transport.error().code == "refused") {
      return give_up(ExitCode::usage, end.transport.error().message);
    }
    if (end.heard) patience.heard();
    if (patience.exhausted()) {
      return give_up(ExitCode::unreachable,
                     "nothing heard from " + connection.api->server() + " for a minute; the run is " +
                         "stored, and `ganglion resume " + cursor.run + "` follows it again");
    }
    if (patience.first_loss()) sink.on_note("the connection is lost; trying again");
    sink.on_tick();
    if (interrupts.wait_for(patience.pause())) return FollowEnd::interrupted;
    if (connection.where != Where::holder_of_store) continue;
    if (auto found = reconnect()) connection = *std::move(found);
  }
}

}  // namespace ganglion::cli

#pragma once

// Follows the event log through whatever happens to the connection: taken up again after the last event that
// was seen, so that none is missed and none comes twice. Ends only when somebody interrupts it, or nobody
// answers any more.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/api.h"
#include "cli/connection.h"
#include "cli/failure.h"
#include "cli/interrupts.h"

namespace ganglion::cli {

struct EventCursor {
  std::optional<std::string> topic;  // a pattern; nothing: every topic
  std::uint64_t last_seq = 0;
};

struct EventSink {
  std::function<void(const std::string& event)> on_event;  // JSON, as in GET /v1/events
  std::function<void(const std::string& line)> on_note;    // about the connection
};

// Returns when it is interrupted. Fails when nobody has answered for a minute. `find` looks for the engine
// again where it may have moved.
Outcome<void> follow_events(Connection& connection, const std::function<Outcome<Connection>()>& find,
                            EventCursor& cursor, const EventSink& sink, const Interrupts& interrupts);

}  // namespace ganglion::cli

#pragma once

// Follows a run's journal to the end of the run through whatever happens to the connection: the stream is
// taken up again after the last entry that was seen, so that none is missed and none comes twice.

#include <cstdint>
#include <functional>
#include <string>

#include "cli/connection.h"
#include "cli/failure.h"
#include "cli/interrupts.h"
#include "core/journal.h"

namespace ganglion::cli {

// Where somebody stands in a journal.
struct JournalCursor {
  std::string run;
  std::uint64_t last_seq = 0;
};

struct FollowSink {
  std::function<void(const JournalEntry& entry)> on_entry;
  std::function<void()> on_tick;                         // several times a second
  std::function<void(const std::string& line)> on_note;  // about the connection
};

enum class FollowEnd { run_ended, interrupted };

// `reconnect` finds the engine again where it may have moved: when the holder of the store has ended, the run
// goes on in an engine here. Fails when nobody has answered for a minute.
Outcome<FollowEnd> follow(Connection& connection, const std::function<Outcome<Connection>()>& reconnect,
                          JournalCursor& cursor, const FollowSink& sink, const Interrupts& interrupts);

}  // namespace ganglion::cli

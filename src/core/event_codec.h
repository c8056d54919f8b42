#pragma once

// Events to journal entries and back. An entry is what is stored, shown and replayed: its columns (type,
// step, item, attempt) can be queried, the rest of the event is one JSON object. Payloads are copied byte for
// byte both ways.

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "core/event.h"
#include "core/journal.h"
#include "core/workflow.h"

namespace ganglion {

// `task_scheduled`, …: stable, part of the HTTP API.
std::string_view event_type(const Event& event);

JournalEntry encode(const Event& event, std::uint64_t seq, Timestamp at, const WorkflowDefinition& workflow);

// Error code `corrupt_journal`: an unknown type, a step that the workflow doesn't have, a missing member.
Result<Event> decode(const JournalEntry& entry, const WorkflowDefinition& workflow);

// The first entry of a journal says under which definition to read the rest.
Result<RunCreated> decode_created(const JournalEntry& entry);

}  // namespace ganglion

#pragma once

// The JSON of the HTTP API for what a run is and what it has done.

#include <string>

#include "core/journal.h"
#include "core/run.h"

namespace ganglion {

// `{id, workflow, definition, status, input, output, error, session_id, labels, priority, version,
// created_at, ended_at, usage, steps: {name: {status, attempts, output, error, started_at, ended_at, needs,
// items?}}}`; `items` of a mapped step under way is `{total, done, failed}`. Steps stand in the order of
// their declaration. The same run gives the same bytes.
std::string run_json(const Run& run);

// `{seq, at, type, step?, item?, attempt?, data}`.
std::string entry_json(const JournalEntry& entry);

}  // namespace ganglion

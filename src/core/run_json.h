#pragma once

// The JSON of the HTTP API for what a run is and what it has done.

#include <string>

#include "core/journal.h"
#include "core/run.h"

namespace ganglion {

// `{id, workflow, definition, status, input, output, error, session_id, labels, priority, version,
// created_at, ended_at, usage, parent, cause, forked_from, budget, steps: {name: {status, attempts, output,
// error, started_at, ended_at, needs, usage, agent, run_id, waiting_for, iteration, items?}}}`; `items` of a
// mapped step under way is `{total, done, failed}`; `parent` is {run_id, step, item}. Steps stand in the
// order of their declaration. The same run gives the same bytes.
std::string run_json(const Run& run);

// `{seq, at, type, step?, item?, attempt?, data}`.
std::string entry_json(const JournalEntry& entry);

}  // namespace ganglion

#pragma once

// The coordination tax of a run: how much of its time went by without anybody working, and where. Worked out
// from the journal alone, so it can be asked of any run at any time.
//
// What counts is the critical path: the chain of attempts that the run's end waited for, found from its end
// backwards: an attempt was scheduled because of the attempt before it (of the same task), or because of the
// last task to end before that of a step that it needs. On that path every millisecond is one of these:
//
//   admit     from the creation of the run until its first task is scheduled
//   persist   from the decision to schedule until the task stands durably in the agent's queue
//   queue     until it is handed out
//   dispatch  from hand-out until the result has been decided on, less the work; only where the agent
//   measured
//             its work, else all of that is work
//   backoff   from a failure until its next attempt is due
//   work      agents, sub-runs, and what a step waits for on purpose: a timer, a person, an event
//   decide    the rest
//
// Time in which the run was paused, or had ended before it was retried, is left out. Of an open run the
// figures go as far as its journal does; of a fork they begin with the fork.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/journal.h"
#include "core/workflow.h"

namespace ganglion {

struct TaxParts {
  Duration admit{};
  Duration queue{};
  Duration dispatch{};
  Duration persist{};
  Duration decide{};
  Duration backoff{};
};

// One attempt, or one wait, on the critical path.
struct PathEntry {
  std::string step;
  std::optional<std::uint32_t> item;  // of a mapped step
  std::uint32_t attempt = 0;
  Timestamp started_at = {};
  Timestamp ended_at = {};
  Duration work{};
};

struct Tax {
  Duration wall{};
  Duration work{};                           // on the critical path
  TaxParts parts;                            // together: wall - work
  std::uint64_t messages = 0;                // to agents and back, on the critical path or not
  std::uint64_t context_bytes = 0;           // of inputs, as often as they were handed to an agent
  std::uint64_t repeated_context_bytes = 0;  // of these, what an agent of this run had been given before
  double tokens = 0;
  std::vector<PathEntry> critical_path;  // in the order of time
};

// Values of an input that are at least as long are recognised when they are handed out again.
inline constexpr std::size_t kRepeatedValue = 64;

// Of a journal from its first entry on. Error code `corrupt_journal`.
Result<Tax> tax_of(std::span<const JournalEntry> journal, const WorkflowDefinition& workflow);

// `{wall_ms, work_ms, tax_ms, tax_ratio, parts, messages, context_bytes, repeated_context_bytes, tokens,
// critical_path: [{step, item?, attempt, started_at, ended_at, work_ms}]}`.
std::string tax_json(const Tax& tax);

}  // namespace ganglion

#pragma once

// What happens next. `decide` is a pure function of (run, input, now): it returns the events that the input
// causes and leaves `run` advanced by exactly those events; it does no I/O, reads no clock, draws no random
// number. Live, on replay, in a test and in the simulator it is the same call.
//
// The caller makes the events durable at the version from which they were decided, before any effect leaves.
// If the store refuses, the run is thrown away, loaded again, and the same input decided again.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/event.h"
#include "core/run.h"
#include "core/task.h"

namespace ganglion {

// --- inputs
// -------------------------------------------------------------------------------------------------------

// For an empty run only. The input has been checked against the workflow's schema.
struct Start {
  RunCreated created;
};
// A deadline of the run may have come.
struct Wake {};
struct Cancel {
  std::string reason;
};
struct Pause {};
struct Resume {};
struct Retry {};

using Input = std::variant<Start, TaskReport, Wake, Cancel, Pause, Resume, Retry>;

// --- decision
// -----------------------------------------------------------------------------------------------------

struct Decision {
  std::vector<Event> events;
  // Attempts that were handed out, or may be, and don't count any more.
  std::vector<AttemptToken> withdrawn;
  // Of a TaskReport.
  Verdict verdict = Verdict::accepted;
  // Why nothing happened where something was asked for; code `conflict`. An input that asks for what is
  // already so (pausing a paused run) is no conflict.
  std::optional<Error> refusal;
};

Decision decide(Run& run, const Input& input, Timestamp now);

}  // namespace ganglion

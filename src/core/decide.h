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
#include "core/state.h"
#include "core/task.h"
#include "core/topic_event.h"

namespace ganglion {

// --- inputs
// -------------------------------------------------------------------------------------------------------

// For an empty run only. The input has been checked against the workflow's schema.
struct Start {
  RunCreated created;
};
// For a run whose journal so far is shared with another: goes on from there.
struct Fork {
  RunForked forked;
};
// A deadline of the run may have come.
struct Wake {};
struct Cancel {
  std::string reason;
};
struct Pause {
  bool by_parent = false;
};
// By the parent: only what it had paused.
struct Resume {
  bool by_parent = false;
};
struct Retry {};
// For the first step that waits, or will wait, for an event of this name. A second signal with the same id is
// no signal.
struct Signal {
  std::string id;
  std::string name;
  Payload data;
};
// An event of the log, for every task that waits for one like it since before it was published.
struct Deliver {
  TopicEvent event;
};
// Refusals beside `conflict`: `digest_mismatch`, `not_permitted`.
struct Answer {
  AttemptToken token;
  bool approved = true;
  std::string by;
  std::string comment;
  std::string digest;
  std::optional<Payload> output = {};  // of a human agent's task
};

using Input =
    std::variant<Start, Fork, TaskReport, Wake, Cancel, Pause, Resume, Retry, Signal, Deliver, Answer>;

// What a decision may look at beside the run.
struct Surroundings {
  // Of the run's session, at one version; null: nothing was ever written there, or no expression asks.
  const StateSnapshot* state = nullptr;
  // Of the last event in the log.
  std::uint64_t last_event = 0;
};

// --- decision
// -----------------------------------------------------------------------------------------------------

// A task that has failed for good.
struct DeadLetter {
  AttemptToken token;
  std::string agent;  // who tried last; of a sub-run the workflow
  Payload input;
  Error error;
};

// An output to keep.
struct CacheWrite {
  std::string key;
  Payload output;
  Duration ttl{};
};

struct Decision {
  std::vector<Event> events;
  // Attempts that were handed out or may be, and what was waited for, that don't count any more.
  std::vector<AttemptToken> withdrawn;
  std::vector<DeadLetter> dead_letters;
  // Dead letters of earlier that are tried again.
  std::vector<AttemptToken> revived;
  std::vector<CacheWrite> cached;
  // Of a TaskReport.
  Verdict verdict = Verdict::accepted;
  // Why nothing happened where something was asked for; code `conflict` if not said otherwise. An input that
  // asks for what is already so (pausing a paused run) is no conflict.
  std::optional<Error> refusal;
};

Decision decide(Run& run, const Input& input, Timestamp now, const Surroundings& around = {});

}  // namespace ganglion

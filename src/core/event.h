#pragma once

// The events of a run's journal: the only way in which a run changes (docs/internals/events.md has the
// table). Each says what happened, with everything that `apply` needs to know and nothing that it could work
// out. An event never names wall time of its own making: times in it were decided, and are data.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/rare.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ids.h"
#include "core/state.h"
#include "core/workflow.h"

namespace ganglion {

// The event that started a run.
struct EventCause {
  std::uint64_t seq = 0;  // in the event log
  std::uint32_t hops = 0;

  bool operator==(const EventCause&) const = default;
};

// What set a run off, where it was not a client.
struct RunOrigin {
  std::optional<AttemptToken> parent = {};  // of a sub-run: the task that it performs
  std::string parent_step = {};             // the name of that task's step
  bool parent_mapped = false;               // and whether it has a task for each item of a list
  std::uint32_t depth = 0;                  // of sub-runs
  std::optional<EventCause> cause = {};
  std::optional<Budget> budget = {};  // what the parent has reserved for it
};

// The first event of every journal, and only the first.
struct RunCreated {
  std::string workflow;
  std::string definition;  // digest of the project file
  Payload input;
  std::optional<std::string> session_id = {};
  std::int32_t priority = 0;
  std::map<std::string, std::string> labels = {};
  std::string traceparent = {};
  Rare<RunOrigin> origin = {};
};

// The run goes on from the journal of another, which it shares up to `seq`; `step` and what needs it is done
// again. Stands right after the shared part.
struct RunForked {
  RunId from;
  std::uint64_t seq = 0;
  std::string step;
  std::optional<Payload> input = {};  // in place of the shared one
};

// A mapped step has begun; `items` is the list, one task for each.
struct StepStarted {
  StepIndex step;
  Payload items;
};

// Who performs an attempt.
enum class TaskRole : std::uint8_t {
  work,      // the agent
  classify,  // the classifier of a router
  cache,     // a fresh answer from the cache, before the agent is asked
  recall,    // any answer from the cache, when everybody has failed
  sub_run,   // another run
};

// An attempt may be handed out from now on. `input` is there with the first attempt of an iteration; later
// ones repeat it.
struct TaskScheduled {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  std::string agent;  // of the roles work and classify; of a sub-run the workflow
  std::optional<Payload> input;
  TaskRole role = TaskRole::work;
  std::uint32_t link = 0;       // position in the chain: cache, agent, fallbacks
  std::uint32_t iteration = 1;  // of an `until`
  std::optional<Budget> reserved = {};
  std::optional<std::uint64_t> state_version = {};  // that the input was made from
  std::string cache_key = {};                       // of the iteration's output, where it may be cached
  std::string router =
      {};  // of the role classify: whom the classifier works for, where an expression chose it
};

// What a task waits for.
struct UntilTime {
  Timestamp until;
};
// The person sees `show`; the decision must name `digest`, the SHA-256 of its bytes.
struct ForPerson {
  std::vector<std::string> by;
  Payload show;
  std::string digest;
  std::string agent;  // of kind human; empty for an `approve` step
};
// Events of the log after `since`, or a signal.
struct ForEvent {
  std::string pattern;
  std::uint64_t since = 0;
};
using Wait = std::variant<UntilTime, ForPerson, ForEvent>;

struct TaskWaiting {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  Wait wait;
  std::uint32_t link = 0;
  std::uint32_t iteration = 1;
};

enum class RoutedBy : std::uint8_t { rule, classifier, otherwise };

// A router has handed the task on. `attempt` is the classifier's, which this ends, or 0.
struct TaskRouted {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  std::string router;
  std::string to;
  RoutedBy by;
  std::string reason;                 // the rule's pattern, the classifier's answer, or why neither decided
  std::optional<Payload> input = {};  // of the task, if nothing was scheduled before
  std::optional<Payload> usage = {};
};

// A person has decided; the task's end follows.
struct ApprovalDecided {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  bool approved;
  std::string by;
  std::string comment;
  std::string digest;
};

// Kept until a step waits for it.
struct SignalReceived {
  std::string id;
  std::string name;
  Payload data;
};

// What a task waited for has come; the task's end follows. A signal is used up by it.
struct EventDelivered {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  std::string id;
  std::optional<std::uint64_t> seq = {};  // in the event log; nothing for a signal
};

// Written to the event log together with this entry, as event `id` of the source `/v1/runs/RUN`.
struct EventPublished {
  StepIndex step;
  ItemIndex item;
  std::string id;
  std::string topic;
  std::uint32_t version = 0;
  Payload data;
};

// Written to the session's state together with this entry.
struct StateChanged {
  StepIndex step;
  ItemIndex item;
  StateWrite write;
};

// The accepted result of a task, or of one iteration. The last one completes a step that is not mapped.
struct TaskSucceeded {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  Payload output;
  std::optional<Payload> usage;
  std::string worker;
  Timestamp started_at;
  bool again = false;  // another iteration follows
  std::optional<Timestamp> queued_at = {};
  std::optional<Duration> work = {};
};

// The end of an attempt without a result. With `retry_at` another attempt follows; with `fall_back` the next
// link of the chain; otherwise the task has failed.
struct TaskFailed {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  Error error;
  std::optional<Timestamp> retry_at;
  std::string worker;
  Timestamp started_at;
  bool fall_back = false;
  std::optional<Payload> usage = {};
  std::optional<Timestamp> queued_at = {};
  std::optional<Duration> work = {};
};

// `output` is absent where tasks have done it: it is the list of their outputs. `error` tells of items
// that failed where the step goes on without them.
struct StepCompleted {
  StepIndex step;
  std::optional<Payload> output;
  std::optional<Error> error;
};

struct StepFailed {
  StepIndex step;
  Error error;
};

struct StepSkipped {
  StepIndex step;
};

struct RunPaused {
  std::optional<StepIndex> step = {};  // whose failure waits for a person; resuming tries it again
  bool by_parent = false;              // the run that started it was paused
};
struct RunResumed {};
// A failed or cancelled run goes on from what had failed or was not finished.
struct RunRetried {};

// The three final events. After one of them only RunRetried can follow.
struct RunCompleted {
  Payload output;
};
struct RunFailed {
  Error error;
  std::optional<StepIndex> step;  // whose failure it was
};
struct RunCancelled {
  std::string reason;
};

using Event = std::variant<RunCreated, RunForked, StepStarted, TaskScheduled, TaskWaiting, TaskRouted,
                           ApprovalDecided, SignalReceived, EventDelivered, EventPublished, StateChanged,
                           TaskSucceeded, TaskFailed, StepCompleted, StepFailed, StepSkipped, RunPaused,
                           RunResumed, RunRetried, RunCompleted, RunFailed, RunCancelled>;

}  // namespace ganglion

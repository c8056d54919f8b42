#pragma once

// The events of a run's journal: the only way in which a run changes (docs/internals/events.md has the
// table). Each says what happened, with everything that `apply` needs to know and nothing that it could work
// out. An event never names wall time of its own making: times in it were decided, and are data.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "core/ids.h"

namespace ganglion {

// The first event of every journal, and only the first.
struct RunCreated {
  std::string workflow;
  std::string definition;  // digest of the project file
  Payload input;
  std::optional<std::string> session_id = {};
  std::int32_t priority = 0;
  std::map<std::string, std::string> labels = {};
  std::string traceparent = {};
};

// A mapped step has begun; `items` is the list, one task for each.
struct StepStarted {
  StepIndex step;
  Payload items;
};

// An attempt may be handed out from now on. `input` is there with the first attempt of a task; later ones
// repeat it.
struct TaskScheduled {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  std::string agent;
  std::optional<Payload> input;
};

// The accepted result of a task. A step that is not mapped is completed by it.
struct TaskSucceeded {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  Payload output;
  std::optional<Payload> usage;
  std::string worker;
  Timestamp started_at;
};

// The end of an attempt without a result. With `retry_at` another attempt follows, without it the task has
// failed.
struct TaskFailed {
  StepIndex step;
  ItemIndex item;
  Attempt attempt;
  Error error;
  std::optional<Timestamp> retry_at;
  std::string worker;
  Timestamp started_at;
};

struct StepSleeping {
  StepIndex step;
  Timestamp until;
};

// `output` is absent for a mapped agent step: it is the list of its tasks' outputs. `error` tells of items
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

struct RunPaused {};
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

using Event = std::variant<RunCreated, StepStarted, TaskScheduled, TaskSucceeded, TaskFailed, StepSleeping,
                           StepCompleted, StepFailed, StepSkipped, RunPaused, RunResumed, RunRetried,
                           RunCompleted, RunFailed, RunCancelled>;

}  // namespace ganglion

#pragma once

// A project as the engine sees it: names resolved to positions, expressions and schemas compiled, defaults
// filled in. `project/` makes it from ganglion.yaml; it never changes afterwards, and many runs share one.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "core/expr/program.h"
#include "core/expr/template.h"
#include "core/ids.h"
#include "core/schema/schema.h"

namespace ganglion {

// --- agents
// -------------------------------------------------------------------------------------------------------

enum class Backoff { constant, exponential };

// The pause before attempt n+1 is `initial` (constant) or `initial` · 2^(n-1) (exponential), at most `max`,
// plus up to `jitter` of itself; never shorter than that minimum.
struct RetryPolicy {
  std::uint32_t max_attempts = 3;  // 1 … 1000
  Backoff backoff = Backoff::exponential;
  Duration initial{200};
  Duration max{30'000};
  double jitter = 0.2;  // 0 … 1
};

// Pulled over the HTTP API by programs that use an SDK.
struct WorkerAgent {};
// One process per task: JSON on standard input, JSON on standard output.
struct ProcessAgent {
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
};
// One POST per task: the task as JSON, the output as JSON in a 2xx answer.
struct HttpAgent {
  std::string url;
  std::map<std::string, std::string> headers;
};
using AgentBackend = std::variant<WorkerAgent, ProcessAgent, HttpAgent>;

struct AgentDefinition {
  std::string name;
  AgentBackend backend;
  Duration timeout{30'000};  // of one attempt, from the moment it is handed out
  RetryPolicy retry;
  std::optional<schema::Schema> output;
};

// --- steps
// --------------------------------------------------------------------------------------------------------

struct AgentCall {
  std::string agent;
  expr::Template input;
};
// The value of an expression; no agent.
struct Transform {
  expr::Template value;
};
// Renders to a duration string ("30s") or a number of seconds.
struct Sleep {
  expr::Template duration;
};
using StepAction = std::variant<AgentCall, Transform, Sleep>;

enum class OnFailure { fail_run, continue_run };

struct StepDefinition {
  std::string name;
  StepAction action;
  std::vector<StepIndex> needs;       // named in `needs` or mentioned by an expression; sorted, no duplicates
  std::vector<StepIndex> dependents;  // the same edges the other way round
  std::optional<expr::Program> condition;
  std::optional<expr::Template> for_each;  // renders to a list
  std::uint32_t max_parallel = 0;          // of a mapped step; 0: kMaxTasksInFlight
  std::optional<Duration> timeout;         // of the whole step: every attempt, pause and item
  RetryPolicy retry;                       // the step's own, else its agent's
  OnFailure on_failure = OnFailure::fail_run;
};

struct WorkflowDefinition {
  std::string name;
  std::optional<schema::Schema> input;
  std::optional<Duration> timeout;  // of the whole run
  std::vector<StepDefinition> steps;
  std::map<std::string, StepIndex, std::less<>> positions;  // of the steps, by name
  // Without one, the output is an object with the output of every step that no other step needs.
  std::optional<expr::Template> output;
};

// --- project
// ------------------------------------------------------------------------------------------------------

// A program that `serve` and `run` start and supervise.
struct WorkerProgram {
  std::string name;
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
};

// Bounds of the project file and of what it defines.
inline constexpr std::size_t kMaxSteps = 1000;            // of a workflow
inline constexpr std::size_t kMaxMapItems = 10'000;       // of a `for_each`
inline constexpr std::uint32_t kMaxTasksInFlight = 1000;  // of one mapped step, whatever its `max_parallel`
inline constexpr std::size_t kMaxUsage = 4096;            // bytes of one result's usage
inline constexpr std::size_t kMaxPayload =
    1 << 20;  // bytes of one input, item or output, also of a mapped step

struct Project {
  std::string digest;  // lower-case hex SHA-256 of `source`
  std::string source;  // the file's bytes
  std::map<std::string, AgentDefinition> agents;
  std::map<std::string, WorkflowDefinition> workflows;
  std::vector<WorkerProgram> workers;
};

}  // namespace ganglion

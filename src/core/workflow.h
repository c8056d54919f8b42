#pragma once

// A project as the engine sees it: names resolved to positions, expressions and schemas compiled, defaults
// filled in. `project/` makes it from ganglion.yaml; it never changes afterwards, and many runs share one.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"
#include "core/coordination.h"
#include "core/expr/program.h"
#include "core/expr/regex.h"
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
// A person answers: the task appears among the approvals, its input is what is shown.
struct HumanAgent {
  std::vector<std::string> by;  // who may answer; empty: anybody
};
// Hands each task on to another agent: the first rule that matches the input's text, else what the classifier
// names, else `otherwise`. Its targets are agents of any other kind.
struct RouterAgent {
  struct Rule {
    std::string match;  // RE2, searched for
    std::string to;
    std::optional<expr::Regex> pattern;  // of `match`, compiled
  };
  std::vector<Rule> rules;
  std::optional<std::string> classifier;
  std::optional<std::string> otherwise;  // `default` in the file
};
using AgentBackend = std::variant<WorkerAgent, ProcessAgent, HttpAgent, HumanAgent, RouterAgent>;

// After `failures` failures within `window` nothing is handed out for `open`; then one attempt is tried.
struct CircuitBreaker {
  std::uint32_t failures = 5;  // 1 … 10,000
  Duration window{30'000};
  Duration open{10'000};
};

// `count` per `per`, evenly (GCRA); bursts of at most a second's worth, at least one.
struct Rate {
  std::uint32_t count = 1;  // 1 … 1,000,000
  Duration per{1'000};
};

// Of one attempt, a run or a tree of runs. What is absent is unlimited.
struct Budget {
  std::optional<double> tokens;
  std::optional<double> usd;

  bool operator==(const Budget&) const = default;
};

// Keys of the session's state, as patterns (core/topic.h).
struct StateAccess {
  std::vector<std::string> read;
  std::vector<std::string> write;
};

// In a fallback chain, in the place of an agent: the last answer to the same input, however old.
inline constexpr std::string_view kCacheFallback = "cache";

struct AgentDefinition {
  std::string name;
  AgentBackend backend;
  Duration timeout{30'000};              // of one attempt, from the moment it is handed out
  std::optional<Duration> idle_timeout;  // of one attempt without a heartbeat; kind worker only
  RetryPolicy retry;
  std::vector<std::string> fallback;  // agents, or kCacheFallback; tried in order after the last attempt
  std::optional<CircuitBreaker> breaker;
  std::optional<std::uint32_t> concurrency;  // attempts handed out at once; 1 … 10,000
  std::optional<Rate> rate_limit;            // of hand-outs
  std::optional<Budget> budget;              // what one attempt may use: reserved before it is dispatched
  std::vector<std::string> subscribes;       // patterns of topics; an event starts the agent's reaction
  std::vector<std::string> publishes;        // patterns of topics
  StateAccess state;
  std::optional<schema::Schema> output;
};

// --- steps
// --------------------------------------------------------------------------------------------------------

// `agent` by name, or, where that is empty, whatever `choice` renders to.
struct AgentCall {
  std::string agent;
  expr::Template choice = {};
  expr::Template input = {};
};
// A run of another workflow of the same project.
struct SubWorkflow {
  std::string workflow;
  expr::Template input;
};
// Waits for a person. Output: {decision, by, comment}; a rejection fails the step with code `rejected`.
struct Approval {
  std::vector<std::string> by;  // who may decide; empty: anybody
  expr::Template show;
};
// Waits for a signal with this name, or for an event whose topic the pattern matches. `where` sees the
// candidate as `event`. Output: the event, {id, type, source, time, data}.
struct WaitFor {
  std::string event;
  std::optional<expr::Program> where;
};
// Output: the event as published.
struct Publish {
  std::string topic;
  expr::Template data;
};
// Writes keys of the session's state, all at one version; null removes a key. Output: null.
struct SetState {
  struct Write {
    std::string key;
    expr::Template value;
  };
  std::vector<Write> writes;
};
// The value of an expression; no agent.
struct Transform {
  expr::Template value;
};
// Renders to a duration string ("30s") or a number of seconds.
struct Sleep {
  expr::Template duration;
};
using StepAction =
    std::variant<AgentCall, SubWorkflow, Approval, WaitFor, Publish, SetState, Transform, Sleep>;

enum class OnFailure { fail_run, continue_run, pause_run };

// Successful outputs are kept under `key` (without one: the agent and its input) and taken instead of a call
// while they are younger than `ttl`. Agent steps only.
struct CachePolicy {
  Duration ttl{};
  std::optional<expr::Template> key;
};

struct StepDefinition {
  std::string name;
  StepAction action;
  std::vector<StepIndex> needs;       // named in `needs` or mentioned by an expression; sorted, no duplicates
  std::vector<StepIndex> dependents;  // the same edges the other way round
  std::optional<expr::Program> condition;
  std::optional<expr::Template> for_each;  // renders to a list
  std::uint32_t max_parallel = 0;          // of a mapped step; 0: kMaxTasksInFlight
  // After each success: another iteration unless it is true. Sees the step's own latest output.
  std::optional<expr::Program> until = {};
  std::uint32_t max_iterations = 1;       // of one task
  std::optional<Duration> timeout = {};   // of the whole step: every attempt, pause, iteration and item
  std::optional<RetryPolicy> retry = {};  // the step's own, for every agent of its chain; else each agent's
  std::optional<std::vector<std::string>> fallback = {};  // the step's own; else its agent's
  std::optional<CachePolicy> cache = {};
  std::optional<std::int32_t> priority = {};  // else the run's
  OnFailure on_failure = OnFailure::fail_run;
};

struct WorkflowDefinition {
  std::string name;
  std::optional<schema::Schema> input;
  std::optional<Duration> timeout;  // of the whole run
  std::optional<Budget> budget;     // of the run and its sub-runs together
  std::vector<StepDefinition> steps;
  std::map<std::string, StepIndex, std::less<>> positions;  // of the steps, by name
  // Without one, the output is an object with the output of every step that no other step needs.
  std::optional<expr::Template> output;
  bool reads_state = false;  // an expression mentions `state`, or a step or an agent of it may write it
};

// --- events and schedules
// -----------------------------------------------------------------------------------------

// Versions of a topic's schema, by number; an event without a version is of the highest.
using TopicSchemas = std::map<std::uint32_t, schema::Schema>;

struct EventTrigger {
  std::string on;  // pattern of topics
  std::optional<expr::Program> where;
};

// What happens to slots that came while no engine ran: none of them, the latest, each (at most kMaxMissed).
enum class MissedSlots { skip, latest, all };

struct CronTrigger {
  std::string cron;  // five fields, or @hourly … @yearly
  std::string timezone = "UTC";
  MissedSlots missed = MissedSlots::latest;
};

// Starts runs. `input` sees `event`: the event, or for a schedule {type: "cron", time: slot}.
struct Trigger {
  std::variant<EventTrigger, CronTrigger> source;
  std::string workflow;
  expr::Template input;
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
inline constexpr std::uint32_t kMaxIterations = 10'000;  // of an `until`
inline constexpr std::size_t kMaxFallbacks = 16;         // of a chain
inline constexpr std::size_t kMaxStateWrites = 256;      // of one `set` or one result
inline constexpr std::size_t kMaxStateKey = 255;         // bytes
inline constexpr std::size_t kMaxStateKeys = 10'000;     // of one session
inline constexpr std::size_t kMaxStateBytes = 8 << 20;   // of one session's values
inline constexpr Duration kScratchTtl{300'000};          // of keys that begin with `scratch.`
inline constexpr std::size_t kMaxTopic = 255;            // bytes
inline constexpr std::size_t kMaxPublished = 64;         // events of one result
inline constexpr std::uint32_t kMaxHops = 16;            // an event that caused an event that caused …
inline constexpr std::uint32_t kMaxDepth = 16;           // of sub-runs
inline constexpr std::size_t kMaxSignals = 1000;         // of a run, that nothing has waited for yet
inline constexpr std::size_t kMaxMissed = 1000;          // slots of a schedule
inline constexpr std::size_t kMaxComment = 4000;         // bytes, of an approval

struct Project {
  std::string digest;  // lower-case hex SHA-256 of `source`
  std::string source;  // the file's bytes
  std::map<std::string, AgentDefinition> agents;
  std::map<std::string, WorkflowDefinition> workflows;
  std::vector<WorkerProgram> workers;
  std::map<std::string, TopicSchemas> topics;
  std::vector<Trigger> triggers;
  Coordination coordination;
};

// The workflow that an event starts for an agent that subscribes to it: one step, the agent's, whose input is
// the event. It stands among the project's workflows under this name, which no file can give.
inline std::string reaction_name(std::string_view agent) {
  return "@" + std::string(agent);
}

}  // namespace ganglion

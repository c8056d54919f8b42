#pragma once

// A scenario: what happens to a project in a simulation. Who starts runs and when, how the agents behave,
// what breaks, what the people decide, and what must hold. Data only, as read from YAML (scenario_reader.h):
// expressions are compiled, names are those of the project, defaults are filled in. docs/guide/simulation.md
// describes the file.
//
// Times are virtual and count from the beginning of the simulation. Until `duration` runs arrive and things
// break; then everything heals, and what is under way must come to its end within `settle`.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/time.h"
#include "core/expr/program.h"
#include "core/expr/template.h"
#include "sim/scenario/agent_model.h"
#include "sim/scenario/draws.h"
#include "sim/scenario/latency.h"
#include "sim/scenario/recorded.h"

namespace ganglion::scenario {

inline constexpr std::size_t kMaxScenarioBytes = 4 << 20;
inline constexpr std::uint32_t kMaxEngines = 16;
inline constexpr std::uint32_t kMaxWorkers = 256;
inline constexpr std::uint32_t kMaxCapacity = 10'000;          // tasks of one worker at once
inline constexpr std::uint64_t kMaxArrivals = 1'000'000;       // of one entry, and of events alike
inline constexpr std::size_t kMaxEntries = 1'000;              // of `arrivals`, `events`, `people`, `expect`
inline constexpr std::chrono::nanoseconds kMinMeanGap{1'000};  // the highest rate: a million a second

// Expressions see `index` (from 0), `at_ms` and `random.NAME`.
struct Arrivals {
  std::string workflow;  // with a recording: only its runs of this workflow; empty: of every one
  Timing timing = Rate{};
  std::uint64_t count = kMaxArrivals;  // at most
  expr::Template input = {};
  std::optional<expr::Template> session = {};
  std::map<std::string, expr::Template> labels = {};
  std::vector<RecordedRun> recorded = {};  // in place of all of these
};

// Events that outsiders publish. Expressions as in Arrivals.
struct Publications {
  std::string topic;
  Timing timing = Rate{};
  std::uint64_t count = kMaxArrivals;  // at most
  expr::Template data = {};
};

// Somebody who decides approvals and does human agents' tasks. The first entry that fits answers.
struct Person {
  std::string by;
  std::vector<std::string> steps = {};  // empty: every step that lets this person decide
  Latency after = UniformLatency{Duration(60'000), Duration(600'000)};
  Chance approve = Chance(1);
  std::optional<expr::Template> output = {};  // of a task; sees `show`, `step`, `at_ms` and `random.NAME`
  std::string comment = {};
};

// Clients that change their minds.
struct Cancels {
  Chance rate = {};
  Latency after = UniformLatency{Duration(0), Duration(10'000)};  // the start of the run
};

// Something is away or stands still, now and then, for a while. The rate counts all together: of two engines
// and 6/h, one of them crashes every ten minutes on average.
struct Outage {
  Rate rate = {};
  Latency lasts = UniformLatency{Duration(1'000), Duration(30'000)};
};

struct Network {
  Chance drop = {};       // of each message
  Chance duplicate = {};  // of each message
  Latency delay = UniformLatency{Duration(0), Duration(2)};
  Outage partition = {};
};

struct Faults {
  Outage engine_crash = {.rate = {}, .lasts = UniformLatency{Duration(100), Duration(5'000)}};
  Outage engine_pause = {};  // stands still with all its memory, then goes on
  Outage store_outage = {};
  Outage worker_crash = {.rate = {}, .lasts = UniformLatency{Duration(100), Duration(5'000)}};
  Network network = {};
};

enum class ExpectationKind {
  always,      // of each run, after every transition
  eventually,  // of each run, once it has ended
  sometimes,   // of some run of some seed, after some transition
  totals,      // of the simulation, at its end
};

struct Expectation {
  ExpectationKind kind = ExpectationKind::always;
  expr::Program condition;  // sees `run` as GET /v1/runs/{id} gives it; of kind totals: `totals`
  std::set<std::string, std::less<>> workflows = {};  // only of their runs; empty: of all
  std::string name = {};                              // given, or the expression itself
  int line = 0;                                       // in the file
};

struct Scenario {
  std::string project;  // path as written
  Duration duration{600'000};
  Duration settle{1'800'000};
  std::uint32_t engines = 1;
  std::uint32_t workers = 1;
  std::uint32_t capacity = 8;                // tasks of one worker at once
  std::map<std::string, AgentModel> agents;  // every agent that is no person and no router
  std::vector<Arrivals> arrivals;
  std::vector<Publications> events;
  std::vector<Person> people;
  Cancels cancels;
  Faults faults;
  std::vector<Expectation> expect;
};

}  // namespace ganglion::scenario

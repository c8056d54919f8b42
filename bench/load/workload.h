#pragma once

// What a benchmark has the server do: a project with one workflow, the input of its runs, and what the agents
// do with each of its steps. The agents do nothing but answer, at once or after the time that a recorded call
// took, so that what is measured is coordination.

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bench/load/trace.h"

namespace ganglion::bench {

// Of every workload's workflow: a server whose workflows all have such names is a benchmark's.
inline constexpr std::string_view kWorkflowPrefix = "bench_";
inline constexpr std::size_t kFanOut = 100;  // items
inline constexpr std::size_t kMaxPayloadBytes = 64 << 10;

// What becomes of a step whose attempt fails, as it may where a server dies: its run fails, since a
// measurement with errors is none; or it is tried again.
enum class Attempts { one, several };

struct WorkloadStep {
  std::string name;
  std::string agent;
  std::vector<std::string> needs;    // steps
  std::string output;                // JSON
  std::chrono::nanoseconds takes{};  // of the agent
  // That the run has to which the step belongs; without it, all of the workload's.
  std::optional<std::size_t> tasks_of_run = {};
};

struct Workload {
  std::string name;
  std::string project;  // YAML
  std::string workflow;
  std::string input;                // JSON
  std::vector<WorkloadStep> steps;  // those that an agent performs
  std::size_t tasks_per_run = 0;
  Attempts attempts = Attempts::one;
  std::chrono::nanoseconds shortest_run{};  // what the agents take, on the longest way
};

// Those that need nothing but their name; the other one is `trace`.
std::span<const std::string_view> workload_names();

// A name of the list. Outputs and the run's input have about `payload_bytes`.
Workload make_workload(std::string_view name, std::size_t payload_bytes, Attempts attempts = Attempts::one);

// The calls as recorded, each `speedup` times faster.
Workload make_trace_workload(std::string name, const std::vector<TracedCall>& calls, double speedup);

// What starts a run of it, and whose tasks a worker of it asks for, as JSON.
std::string start_body(const Workload& workload);
std::string agents_json(const Workload& workload);

}  // namespace ganglion::bench

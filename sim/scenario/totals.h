#pragma once

// What a simulation came to, all runs together: what `totals` expectations see. Counting is exact and does
// not depend on the order: money is counted in billionths of a USD, percentiles are taken from the sorted
// latencies of all completed runs (the nearest rank).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_text.h"
#include "base/time.h"
#include "core/usage.h"
#include "sim/scenario/agent_model.h"
#include "sim/scenario/scenario.h"

namespace ganglion::scenario {

enum class RunEnd { completed, failed, cancelled };

class Totals {
 public:
  // Workflows and agents with an effect are there from the beginning, with zeros.
  Totals(const Scenario& scenario, const Project& project);

  void run_started(const std::string& workflow);
  void run_ended(const std::string& workflow, RunEnd end, Duration latency);
  // A run that ended goes on (`retry`).
  void run_reopened(const std::string& workflow, RunEnd end);

  void attempt_ended(bool failed);
  void used(const Usage& usage);
  void dead_letter();
  // Answer::effect_key of a call that has come to its end.
  void effect(const std::string& agent, const std::string& key);

  // {runs: {started, completed, failed, cancelled, open}, latency: {p50_ms, p90_ms, p99_ms, max_ms}, tokens,
  // usd, attempts, failures, dead_letters, effects: {AGENT: {executions, distinct, duplicates}},
  // workflows: {NAME: {runs, latency}}}; of no run at all every latency is 0.
  std::string json() const;

 private:
  struct Runs {
    std::int64_t started = 0;
    std::int64_t completed = 0;
    std::int64_t failed = 0;
    std::int64_t cancelled = 0;
    std::vector<Duration> latencies;  // of completed runs

    std::int64_t& ended(RunEnd end);
    void add_to(JsonObject& object) const;
  };
  struct Effects {
    Effect kind = Effect::pure;
    std::int64_t executions = 0;
    std::map<std::string, std::int64_t, std::less<>> by_key;
  };

  Runs all_;
  std::map<std::string, Runs, std::less<>> workflows_;
  std::map<std::string, Effects, std::less<>> effects_;
  std::int64_t attempts_ = 0;
  std::int64_t failures_ = 0;
  std::int64_t dead_letters_ = 0;
  std::int64_t tokens_ = 0;
  std::int64_t nano_usd_ = 0;
};

}  // namespace ganglion::scenario

#include "sim/scenario/totals.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/assert.h"

namespace ganglion::scenario {
namespace {

// The smallest of the sorted values that `percent` of 100 are not above; 0 of none.
std::int64_t percentile(const std::vector<Duration>& sorted, std::size_t percent) {
  if (sorted.empty()) return 0;
  const std::size_t rank = (sorted.size() * percent + 99) / 100;
  return sorted[std::max<std::size_t>(rank, 1) - 1].count();
}

std::int64_t rounded(double amount) {
  return std::llround(amount);
}

}  // namespace

Totals::Totals(const Scenario& scenario, const Project& project) {
  for (const auto& [name, workflow] : project.workflows) workflows_[name];
  for (const auto& [name, agent] : scenario.agents) {
    if (agent.effect != Effect::pure) effects_[name].kind = agent.effect;
  }
}

std::int64_t& Totals::Runs::ended(RunEnd end) {
  switch (end) {
    case RunEnd::completed:
      return completed;
    case RunEnd::failed:
      return failed;
    case RunEnd::cancelled:
      return cancelled;
  }
  GANGLION_ASSERT(false);
  return failed;
}

void Totals::run_started(const std::string& workflow) {
  ++all_.started;
  ++workflows_[workflow].started;
}

void Totals::run_ended(const std::string& workflow, RunEnd end, Duration latency) {
  for (Runs* runs : {&all_, &workflows_[workflow]}) {
    ++runs->ended(end);
    if (end == RunEnd::completed) runs->latencies.push_back(latency);
  }
}

void Totals::run_reopened(const std::string& workflow, RunEnd end) {
  for (Runs* runs : {&all_, &workflows_[workflow]}) --runs->ended(end);
}

void Totals::attempt_ended(bool failed) {
  ++attempts_;
  if (failed) ++failures_;
}

void Totals::used(const Usage& usage) {
  const Budget amount = as_budget(usage);
  tokens_ += rounded(amount.tokens.value_or(0));
  nano_usd_ += rounded(amount.usd.value_or(0) * static_cast<double>(kNanoUsd));
}

void Totals::dead_letter() {
  ++dead_letters_;
}

void Totals::effect(const std::string& agent, const std::string& key) {
  Effects& effects = effects_[agent];
  ++effects.executions;
  ++effects.by_key[key];
}

void Totals::Runs::add_to(JsonObject& object) const {
  JsonObject runs;
  runs.add("started", started).add("completed", completed).add("failed", failed);
  runs.add("cancelled", cancelled).add("open", started - completed - failed - cancelled);
  std::vector<Duration> sorted = latencies;
  std::ranges::sort(sorted);
  JsonObject latency;
  latency.add("p50_ms", percentile(sorted, 50)).add("p90_ms", percentile(sorted, 90));
  latency.add("p99_ms", percentile(sorted, 99)).add("max_ms", percentile(sorted, 100));
  object.add_raw("runs", runs.finish()).add_raw("latency", latency.finish());
}

std::string Totals::json() const {
  JsonObject object;
  all_.add_to(object);
  object.add("tokens", tokens_);
  object.add_number("usd", static_cast<double>(nano_usd_) / static_cast<double>(kNanoUsd));
  object.add("attempts", attempts_).add("failures", failures_).add("dead_letters", dead_letters_);
  JsonObject effects;
  for (const auto& [agent, effect] : effects_) {
    const auto distinct = static_cast<std::int64_t>(effect.by_key.size());
    JsonObject counts;
    counts.add("executions", effect.executions).add("distinct", distinct);
    const bool repeats = effect.kind == Effect::irreversible;
    counts.add("duplicates", repeats ? effect.executions - distinct : std::int64_t{0});
    effects.add_raw(agent, counts.finish());
  }
  object.add_raw("effects", effects.finish());
  JsonObject workflows;
  for (const auto& [name, runs] : workflows_) {
    JsonObject workflow;
    runs.add_to(workflow);
    workflows.add_raw(name, workflow.finish());
  }
  return object.add_raw("workflows", workflows.finish()).finish();
}

}  // namespace ganglion::scenario

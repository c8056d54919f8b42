#include "sim/user_scenario/user_scenario.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/run_json.h"
#include "core/workflow.h"
#include "sim/actors/model_executor.h"
#include "sim/actors/worker.h"
#include "sim/checkers/history.h"
#include "sim/checkers/promises.h"
#include "sim/checkers/stored_runs.h"
#include "sim/user_scenario/client.h"
#include "sim/user_scenario/fault_weather.h"
#include "sim/user_scenario/open_runs.h"
#include "sim/user_scenario/people.h"
#include "sim/user_scenario/run_watch.h"
#include "sim/user_scenario/scripted_agents.h"
#include "sim/world/storm.h"

namespace ganglion::sim {
namespace {

constexpr SimTime kLook{1'000'000};
constexpr SimTime kRest{15'000'000};  // after the last run: late reports, polls and retries come home
constexpr SimTime kHeartbeat{2'000'000};
constexpr int kBeatsOfIdleTimeout = 3;
constexpr std::size_t kTimersOfAWorker = 2;  // of the engine, for a worker that polls
constexpr std::uint32_t kAll = 10'000'000;

class Story {
 public:
  Story(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink, const UserScenarioOptions& options);

  void break_things();
  void heal();
  void settle();
  void check();
  SeedResult result();

 private:
  WorldOptions world_options(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink);
  void make_workers();
  void make_outsiders();
  void wait_for_the_end(SimTime end);
  bool has_come_to_rest();
  void check_open_runs();
  void take_journals();
  bool broken() const { return !world_.violations().empty(); }
  const scenario::Scenario& scenario() const { return *options_.scenario; }

  const UserScenarioOptions& options_;
  std::unique_ptr<ScriptedAgents> agents_;  // before the world: engines hold it
  World world_;
  Projects projects_;
  History history_;
  RunWatch watch_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  People people_;
  std::unique_ptr<Storm> storm_;
  Timestamp healed_at_;
};

WorldOptions Story::world_options(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink) {
  WorldOptions world{.seed = seed,
                     .only = only,
                     .make_store = options_.make_store,
                     .compile = [project = options_.project](
                                    const std::string& source) -> Result<std::shared_ptr<const Project>> {
                       if (source == project->source) return project;
                       return fail("invalid_project", "this is not the scenario's project");
                     },
                     .project = options_.project,
                     .hosts = scenario().engines,
                     .weather = weather_of(scenario())};
  world.make_executor = [this](Clock& clock) { return std::make_unique<ModelExecutor>(clock, *agents_); };
  world.sink = std::move(sink);
  return world;
}

Story::Story(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink, const UserScenarioOptions& options)
    : options_(options),
      world_(world_options(seed, only, std::move(sink))),
      projects_(world_.options().compile),
      history_(world_),
      watch_(world_, scenario(), options.project),
      people_(world_, scenario().people, watch_.names(), history_) {
  agents_ = std::make_unique<ScriptedAgents>(world_, scenario(), watch_);
  world_.store().on_commit(
      [this](const Commit& commit, const CommitOutcome& outcome) { watch_.committed(commit, outcome); });
  make_workers();
  make_outsiders();
}

void Story::make_workers() {
  WorkerOptions options{.agents = {}, .capacity = scenario().capacity, .heartbeat = kHeartbeat};
  for (const auto& [name, agent] : options_.project->agents) {
    if (!std::holds_alternative<WorkerAgent>(agent.backend)) continue;
    options.agents.push_back(name);
    if (agent.idle_timeout) {
      options.heartbeat = std::min(options.heartbeat, SimTime(*agent.idle_timeout) / kBeatsOfIdleTimeout);
    }
  }
  if (options.agents.empty()) return;
  options.away = draw_time(scenario().faults.worker_crash.lasts);
  for (std::uint32_t i = 1; i <= scenario().workers; ++i) {
    workers_.push_back(
        std::make_unique<Worker>(world_, "worker-" + std::to_string(i), options, *agents_, &history_));
  }
}

// A second entry of the same name is told apart by its number.
void Story::make_outsiders() {
  std::set<std::string> taken;
  const auto label = [&](const std::string& name) {
    std::string free = name;
    for (int number = 2; !taken.insert(free).second; ++number) free = name + "-" + std::to_string(number);
    return free;
  };
  const scenario::Draws draws(world_.fate().seed());
  std::uint64_t entry = 0;
  for (const scenario::Arrivals& arrivals : scenario().arrivals) {
    const std::string name = arrivals.workflow.empty() ? "recorded" : arrivals.workflow;
    clients_.push_back(std::make_unique<Client>(world_, label(name), arrivals, scenario().cancels,
                                                draws.at("arrivals", entry++), scenario().duration,
                                                history_));
  }
  taken.clear();
  entry = 0;
  for (const scenario::Publications& events : scenario().events) {
    publishers_.push_back(std::make_unique<Publisher>(
        world_, label(events.topic), events, draws.at("events", entry++), scenario().duration, history_));
  }
}

void Story::break_things() {
  const SimTime end = scenario().duration;
  world_.trace().add("story", "begins");
  world_.begin();
  storm_ = std::make_unique<Storm>(world_, end);
  for (const auto& worker : workers_) {
    storm_->also(worker->name() + ".crash", world_.weather().worker_crash,
                 [&worker = *worker](SimTime lasts) { worker.crash(lasts); });
    worker->start();
  }
  for (const auto& client : clients_) client->start();
  for (const auto& publisher : publishers_) publisher->start();
  people_.start();
  while (!broken() && world_.timeline().step(end)) {
  }
}

void Story::heal() {
  world_.trace().add("story", "heals");
  for (const auto& worker : workers_) worker->calm();
  agents_->calm();
  storm_->heal();
  healed_at_ = world_.hosts().front()->now();
}

void Story::settle() {
  const SimTime end = world_.timeline().now() + SimTime(scenario().settle);
  // An event that is on its way may start another run while everything rests.
  for (int round = 0; round < 2 && !broken(); ++round) {
    wait_for_the_end(end);
    world_.timeline().run_until(world_.timeline().now() + kRest);
    if (has_come_to_rest()) break;
  }
}

void Story::wait_for_the_end(SimTime end) {
  while (!broken() && world_.timeline().now() < end && !has_come_to_rest()) {
    world_.timeline().run_until(std::min(end, world_.timeline().now() + kLook));
  }
}

bool Story::has_come_to_rest() {
  const auto serves = [](const auto& host) { return host->serves(); };
  const auto waits = [](const auto& outsider) { return outsider->pending() > 0; };
  if (!std::ranges::all_of(world_.hosts(), serves)) return false;
  if (std::ranges::any_of(clients_, waits) || std::ranges::any_of(publishers_, waits)) return false;
  return std::ranges::all_of(watch_.open(), [&](const auto& run) {
    return waits_for_nobody_known(*run.second, watch_.open(), scenario().people);
  });
}

void Story::check() {
  if (!broken()) check_open_runs();
  const auto letters = world_.store().ask<Result<std::vector<Record>>>([&](Store& backing, auto answer) {
    backing.list_records({.kind = RecordKind::dead_letter, .run = {}, .before = {}, .limit = kAll},
                         std::move(answer));
  });
  for (std::size_t i = 0; i < letters->size(); ++i) watch_.totals().dead_letter();
  if (!broken()) watch_.check_totals();
  if (!broken()) {
    const Promises::Conventions conventions{.timers_at_rest = kTimersOfAWorker * workers_.size()};
    Promises(world_, history_, projects_, conventions).check();
  }
  if (options_.journals) take_journals();
}

void Story::check_open_runs() {
  for (const auto& [id, run] : watch_.open()) {
    if (run->created_at() > healed_at_) continue;
    if (waits_for_nobody_known(*run, watch_.open(), scenario().people)) continue;
    world_.violated(watch_.describe(*run) + " has not ended " + format_duration(scenario().settle) +
                    " after everything healed: " + what_it_waits_for(*run));
  }
}

void Story::take_journals() {
  for (const StoredRun& stored : stored_runs(world_.store(), projects_)) {
    for (const JournalEntry& entry : stored.journal) options_.journals(entry_json(entry));
  }
}

SeedResult Story::result() {
  SeedResult result{.seed = world_.fate().seed(), .violations = world_.violations()};
  result.trace = world_.trace().hash();
  for (const Fate::Event& event : world_.fate().events()) {
    result.events.push_back(world_.fate().name_of(event));
  }
  result.sightings = world_.sightings();
  result.totals = watch_.totals().json();
  result.steps = world_.timeline().steps();
  result.writes = world_.store().writes();
  result.runs = watch_.runs();
  result.length = world_.timeline().now();
  return result;
}

}  // namespace

SeedResult run_user_scenario(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                             const UserScenarioOptions& options) {
  Story story(seed, only, std::move(sink), options);
  story.break_things();
  story.heal();
  story.settle();
  story.check();
  return story.result();
}

std::vector<std::string> expected_sightings(const scenario::Scenario& scenario) {
  std::vector<std::string> expected;
  for (const scenario::Expectation& expectation : scenario.expect) {
    if (expectation.kind == scenario::ExpectationKind::sometimes) {
      expected.push_back("sometimes: " + expectation.name);
    }
  }
  return expected;
}

}  // namespace ganglion::sim

#include "sim/engine_scenario/engine_scenario.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/overloaded.h"
#include "core/workflow.h"
#include "sim/actors/model_executor.h"
#include "sim/actors/worker.h"
#include "sim/checkers/history.h"
#include "sim/checkers/promises.h"
#include "sim/checkers/stored_runs.h"
#include "sim/engine_scenario/customer.h"
#include "sim/engine_scenario/janitor.h"
#include "sim/engine_scenario/projects.h"
#include "sim/engine_scenario/unlucky_agents.h"
#include "sim/world/storm.h"

namespace ganglion::sim {
namespace {

constexpr int kMostRounds = 4;            // of waiting until all rests
constexpr SimTime kSettles{600'000'000};  // everything that waits for nobody ends within
constexpr SimTime kLook{1'000'000};
constexpr Duration kAuditLease{4'000};  // some end too early, all end before the rest is over
constexpr Duration kAuditRest{250};
constexpr SimTime kRest{15'000'000};  // after the last run: late reports, polls and retries come home

// What a seed is about.
struct Shape {
  std::size_t project = 0;
  std::uint32_t hosts = 1;
  bool bus = false;    // over which the engines share their work
  bool audit = false;  // to which they copy the journals
  std::uint32_t workers = 2;
  std::uint32_t customers = 2;
  SimTime breaks{20'000'000};
  Weather weather = {};
  AgentFaults agents = {};
  bool keeps_history = false;
};

double often(Draw& draw, double most) {
  return draw.chance(0.5) ? 0 : most * draw.unit();
}

Spell spell(Draw& draw, double per_hour, SimTime least, SimTime most) {
  if (!draw.chance(0.4)) return {};
  return {per_hour * (0.2 + draw.unit()), least, most};
}

Shape shape_of(std::uint64_t seed) {
  Draw draw(mix(seed, 1));
  Shape shape;
  shape.project = draw.below(kEngineProjects);
  shape.hosts = draw.chance(0.6) ? 1 : 2 + static_cast<std::uint32_t>(draw.below(2));
  shape.workers = 1 + static_cast<std::uint32_t>(draw.below(3));
  shape.customers = 1 + static_cast<std::uint32_t>(draw.below(3));
  shape.breaks = draw.between(SimTime(3'000'000), SimTime(25'000'000));
  Weather& weather = shape.weather;
  weather.network = {.lost_request = often(draw, 0.05),
                     .lost_answer = often(draw, 0.05),
                     .duplicate = often(draw, 0.05),
                     .slow = often(draw, 0.05)};
  weather.store.dies_before_write = often(draw, 0.004);
  weather.store.dies_after_write = often(draw, 0.004);
  weather.store.lost_answer = often(draw, 0.01);
  weather.store.refused = often(draw, 0.01);
  const SimTime second(1'000'000);
  weather.engine_crash = spell(draw, 400, SimTime(2'000), second);
  weather.engine_pause = spell(draw, 400, SimTime(10'000), second * 6);
  weather.store_down = spell(draw, 200, SimTime(10'000), second * 3);
  weather.store_full = spell(draw, 200, SimTime(10'000), second * 3);
  weather.store_slow = spell(draw, 200, SimTime(10'000), second * 3);
  weather.store_partition = spell(draw, 200, SimTime(10'000), second * 4);
  weather.client_partition = spell(draw, 200, SimTime(10'000), second * 4);
  weather.clock_jump = spell(draw, 400, SimTime(0), SimTime(0));
  // Engines beside each other agree on the time to some seconds, or their timers mean nothing to each other.
  if (shape.hosts > 1) weather.clock_jump_most = Duration(2'000);
  if (draw.chance(0.15)) {
    weather.store_failover = {300, SimTime(10'000), second};
    weather.failover_loses = static_cast<int>(draw.below(6));
    shape.keeps_history = true;
  }
  shape.agents = {.error = often(draw, 0.2),
                  .silent = often(draw, 0.05),
                  .slow = often(draw, 0.1),
                  .garbage = often(draw, 0.05),
                  .oversize = often(draw, 0.01),
                  .twice = often(draw, 0.1),
                  .dies = often(draw, 0.02),
                  .not_permitted = often(draw, 0.05)};
  weather.worker_crash = {often(draw, 400), SimTime(10'000), second * 3};
  shape.bus = shape.hosts > 1 && draw.chance(0.7);
  if (shape.bus) weather.bus_partition = spell(draw, 200, SimTime(10'000), second * 6);
  shape.audit = draw.chance(0.4);
  if (shape.audit) {
    weather.audit.lost_request = often(draw, 0.2);
    weather.audit.lost_answer = often(draw, 0.2);
    weather.audit_down = spell(draw, 400, SimTime(10'000), second * 6);
  }
  return shape;
}

std::string text_of(const Commit& commit, const CommitOutcome& outcome) {
  std::string text = commit.run.text() + " at " + std::to_string(commit.expected_version) + ":";
  for (const JournalEntry& event : commit.events) text += " " + event.type;
  if (commit.state) {
    text += ", state of " + commit.state->session + ":";
    for (const StateWrite& write : commit.state->writes) {
      text += " " + write.key + "=" + std::string(write.value ? write.value->bytes() : "");
    }
    text += " for";
  }
  return text +
         std::visit(Overloaded{[](const Committed& done) {
                                 return done.state_version ? " v" + std::to_string(*done.state_version)
                                                           : std::string();
                               },
                               [](const VersionConflict& conflict) {
                                 return " — refused, it is at " + std::to_string(conflict.actual_version);
                               },
                               [](const KeyTaken&) { return std::string(" — refused, the key is taken"); },
                               [](const StateMoved& moved) {
                                 return " — refused, the state is at v" +
                                        std::to_string(moved.actual_version);
                               },
                               [](const StoreUnavailable&) { return std::string(" — unavailable"); }},
                    outcome);
}

class Story {
 public:
  Story(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink, const EngineScenarioOptions& options);

  void break_things();
  void heal();
  void settle();
  bool all_is_done();
  void wait_for_the_end();
  void check();
  SeedResult result();

 private:
  WorldOptions world_options(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                             const EngineScenarioOptions& options);
  void make_workers();
  void make_customers();
  bool broken() const { return !world_.violations().empty(); }

  const Shape shape_;
  Projects projects_;
  std::unique_ptr<UnluckyAgents> agents_;  // before the world: engines hold it
  World world_;
  History history_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Customer>> customers_;
  Janitor janitor_;
  std::unique_ptr<Storm> storm_;
};

WorldOptions Story::world_options(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                                  const EngineScenarioOptions& options) {
  WorldOptions world{.seed = seed,
                     .only = only,
                     .make_store = options.make_store,
                     .make_broker = shape_.bus ? options.make_broker : nullptr,
                     .store = {.keeps_history = shape_.keeps_history},
                     .compile = options.compile,
                     .project = options.compile(engine_project(shape_.project, 1)).value(),
                     .hosts = shape_.hosts,
                     .weather = shape_.weather};
  world.make_executor = [this](Clock& clock) { return std::make_unique<ModelExecutor>(clock, *agents_); };
  world.has_audit = shape_.audit;
  world.engine.audit.lease = kAuditLease;
  world.engine.audit.rest = kAuditRest;
  world.sink = std::move(sink);
  return world;
}

Story::Story(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
             const EngineScenarioOptions& options)
    : shape_(shape_of(seed)),
      projects_(options.compile),
      world_(world_options(seed, only, std::move(sink), options)),
      history_(world_),
      janitor_(world_) {
  agents_ = std::make_unique<UnluckyAgents>(world_, shape_.agents);
  world_.store().on_commit([this](const Commit& commit, const CommitOutcome& outcome) {
    world_.trace().add("store", "commit", text_of(commit, outcome));
    if (std::holds_alternative<VersionConflict>(outcome)) world_.saw("a commit was refused for its version");
    if (std::holds_alternative<KeyTaken>(outcome)) world_.saw("a key was taken");
  });
  make_workers();
  make_customers();
}

void Story::make_workers() {
  std::vector<std::string> agents;
  for (const auto& [name, agent] : world_.options().project->agents) {
    if (std::holds_alternative<WorkerAgent>(agent.backend)) agents.push_back(name);
  }
  for (std::uint32_t i = 1; i <= shape_.workers; ++i) {
    WorkerOptions options{
        .agents = agents, .capacity = 6, .heartbeat = SimTime(700'000), .ignores_cancel = 0.3};
    workers_.push_back(
        std::make_unique<Worker>(world_, "worker-" + std::to_string(i), options, *agents_, &history_));
  }
}

void Story::make_customers() {
  for (std::uint32_t i = 1; i <= shape_.customers; ++i) {
    const Customer::Options options{
        .pause_most = SimTime(500'000), .project = shape_.project, .changes_projects = true};
    customers_.push_back(
        std::make_unique<Customer>(world_, "customer-" + std::to_string(i), options, history_));
  }
}

void Story::break_things() {
  world_.trace().add(
      "story", "begins",
      "project " + std::to_string(shape_.project) + ", " + std::to_string(shape_.hosts) + " engines");
  world_.begin();
  storm_ = std::make_unique<Storm>(world_, shape_.breaks);
  for (const auto& worker : workers_) {
    storm_->also(worker->name() + ".crash", world_.weather().worker_crash,
                 [&worker = *worker](SimTime lasts) { worker.crash(lasts); });
  }
  for (const auto& worker : workers_) worker->start();
  for (const auto& customer : customers_) customer->start();
  while (!broken() && world_.timeline().step(shape_.breaks)) {
  }
}

void Story::heal() {
  for (const auto& customer : customers_) customer->calm();
  for (const auto& worker : workers_) worker->calm();
  agents_->calm();
  storm_->heal();
}

void Story::settle() {
  janitor_.start();
  // A schedule may start another run while everything rests.
  for (int round = 0; round < kMostRounds && !broken(); ++round) {
    wait_for_the_end();
    world_.timeline().run_until(world_.timeline().now() + kRest);
    if (all_is_done()) break;
  }
}

bool Story::all_is_done() {
  return count_open_runs(world_.store()) == 0 &&
         (world_.audit() == nullptr || count_uncopied_runs(world_.store()) == 0);
}

void Story::wait_for_the_end() {
  const SimTime end = world_.timeline().now() + kSettles;
  while (!broken() && world_.timeline().now() < end) {
    world_.timeline().run_until(world_.timeline().now() + kLook);
    const bool serving = std::ranges::all_of(world_.hosts(), [](const auto& host) { return host->serves(); });
    if (serving && all_is_done()) break;
  }
}

void Story::check() {
  for (const StoredRun& stored : stored_runs(world_.store(), projects_)) {
    if (stored.run && !stored.run->ended()) {
      world_.violated("run " + stored.record.id.text() + " of " + stored.record.workflow + " is still " +
                      std::string(stored.run->status()) + " after " +
                      format_sim_time(world_.timeline().now()));
    }
  }
  if (broken()) return;
  const Promises::Conventions conventions{
      .labels_name_keys = true, .counters = {"n", "m"}, .uses_fit_budgets = true};
  Promises(world_, history_, projects_, conventions).check();
}

SeedResult Story::result() {
  SeedResult result{.seed = world_.fate().seed(), .violations = world_.violations()};
  result.trace = world_.trace().hash();
  for (const Fate::Event& event : world_.fate().events())
    result.events.push_back(world_.fate().name_of(event));
  result.sightings = world_.sightings();
  result.steps = world_.timeline().steps();
  result.writes = world_.store().writes();
  result.runs = history_.runs().size();
  result.length = world_.timeline().now();
  return result;
}

}  // namespace

SeedResult run_engine_scenario(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                               const EngineScenarioOptions& options) {
  Story story(seed, only, std::move(sink), options);
  story.break_things();
  story.heal();
  story.settle();
  story.check();
  return story.result();
}

const std::vector<std::string>& expected_sightings() {
  static const std::vector<std::string> expected = {
      "a cancel came after the end",
      "a commit was refused for its version",
      "a conditional write lost",
      "a dead letter was requeued",
      "a decision was refused",
      "a failover lost commits",
      "a guessed token was rejected",
      "a key was taken",
      "a malformed report was refused",
      "a run was forked",
      "a stale token was rejected",
      "a worker died with tasks in hand",
      "a worker dropped a cancelled task",
      "a worker repeated its report",
      "an agent killed its worker",
      "an approval was decided",
      "an attempt was handed out twice",
      "an engine died at a write",
      "an engine noticed that writes were lost",
      "an engine took up open runs",
      "an idempotency key was refused for another body",
      "an idempotency key was used again",
      "an invalid result was refused",
      "an unknown token was rejected",
      "copying to the audit went on after trouble",
      "retry was refused",
      "the project was changed",
  };
  return expected;
}

}  // namespace ganglion::sim

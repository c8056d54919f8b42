#include "sim/capacity/capacity.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "project/project.h"

namespace ganglion::sim {
namespace {

constexpr std::string_view kProject = R"(ganglion: 1
defaults: {timeout: 1h}
agents:
  first: {kind: worker}
  second: {kind: worker}
  third: {kind: worker}
workflows:
  pipeline:
    steps:
      first: {agent: first, input: "${{ input }}"}
      second: {agent: second, input: "${{ steps.first.output }}"}
      last: {agent: third, input: "${{ steps.second.output }}"}
    output: "${{ steps.last.output }}"
)";

constexpr SimTime kPatience{35'000'000};
constexpr SimTime kSettle{500'000};
// More than are busy on average, so that workers are never what runs wait for.
constexpr double kPlaces = 2;
constexpr std::uint32_t kLeastPlaces = 32;

Result<std::shared_ptr<const Project>> compile(const std::string& source) {
  auto parsed = project::parse(source, "ganglion.yaml");
  if (!parsed) return fail("invalid_project", parsed.error().front().text());
  return *std::move(parsed);
}

std::uint32_t places_of(const CapacityOptions& options) {
  const double busy = options.runs_per_s * kCapacitySteps * static_cast<double>(options.work.count()) / 1e6;
  return std::max(kLeastPlaces, static_cast<std::uint32_t>(std::ceil(kPlaces * busy / options.workers)));
}

WorldOptions world_options(const CapacityOptions& options, const StoreFactory& make_store) {
  WorldOptions world;
  world.seed = options.seed;
  world.make_store = make_store;
  world.store = options.store;
  world.compile = compile;
  world.project = compile(std::string(kProject)).value();
  world.hosts = options.coordinators;
  world.weather.network.latency_least = world.weather.store.latency_least = kNetworkLeast;
  world.weather.network.latency_most = world.weather.store.latency_most = kNetworkMost;
  // What is asked is where work piles up, not where an engine refuses it.
  world.engine.coordinator.max_open_runs = 100'000'000;
  world.engine.coordinator.max_share = 1;
  world.service_times = options.engine;
  return world;
}

double quantile_ms(std::vector<std::uint32_t>& sorted_us, double of) {
  if (sorted_us.empty()) return 0;
  return sorted_us[static_cast<std::size_t>(of * static_cast<double>(sorted_us.size() - 1))] / 1e3;
}

double seconds_of(WorkTime time) {
  return static_cast<double>(time.count()) / 1e9;
}

}  // namespace

CapacityWorld::CapacityWorld(CapacityOptions options, const StoreFactory& make_store)
    : options_(options), world_(std::make_unique<World>(world_options(options, make_store))) {
  GANGLION_ASSERT(options.coordinators > 0 && options.workers >= options.coordinators);
  arrivals_ = world_->fate().site("arrivals");
  world_->store().on_commit([this](const Commit& commit, const CommitOutcome& outcome) {
    if (!std::holds_alternative<Committed>(outcome)) return;
    ++commits_;
    entries_ += commit.events.size();
    if (commit.create) ++started_;
    if (commit.status && commit.status->ended_at) ++ended_;
  });
  world_->begin();
  for (std::uint32_t i = 0; i < options.workers; ++i) {
    workers_.push_back(
        std::make_unique<CapacityWorker>(*world_,
                                         CapacityWorker::Options{.name = "w" + std::to_string(i),
                                                                 .engine = HostId(i % options.coordinators),
                                                                 .places = places_of(options),
                                                                 .work = options.work,
                                                                 .payload = options.payload},
                                         seen_));
  }
}

CapacityWorld::~CapacityWorld() = default;

SimTime CapacityWorld::warm_up_time() const {
  if (options_.warm_up > SimTime(0)) return options_.warm_up;
  return options_.work * kCapacitySteps * 3 / 2 + kSettle;
}

void CapacityWorld::warm_up() {
  const auto serves = [](const auto& host) { return host->serves(); };
  while (!std::ranges::all_of(world_->hosts(), serves)) {
    world_->timeline().step(world_->timeline().now() + kSettle);
  }
  for (const auto& worker : workers_) worker->start();
  next_arrival_us_ = static_cast<double>(world_->timeline().now().count());
  start_run_later();
  world_->timeline().run_until(world_->timeline().now() + warm_up_time());
}

void CapacityWorld::measure() {
  const Counted before = count();
  seen_.counts = true;
  world_->timeline().run_until(world_->timeline().now() + options_.measured);
  seen_.counts = false;
  evaluate(before, count());
}

SimTime CapacityWorld::restart() {
  loads_ = false;
  EngineHost& host = *world_->hosts().front();
  const SimTime began = world_->timeline().now();
  host.kill(SimTime(0));
  do {
    world_->timeline().step(world_->timeline().now() + kSettle);
  } while (!host.serves());
  return world_->timeline().now() - began;
}

// --- the load
// ----------------------------------------------------------------------------------------------------------

// At random, without memory; in turns to the engines, as a load balancer gives them.
void CapacityWorld::start_run_later() {
  const double unit = world_->fate().draw(arrivals_).unit();
  next_arrival_us_ += -std::log1p(-unit) * 1e6 / options_.runs_per_s;
  world_->timeline().at(SimTime(static_cast<std::int64_t>(next_arrival_us_)), [this] {
    if (!loads_) return;
    start_run(HostId(static_cast<std::uint32_t>(asked_++ % options_.coordinators)));
    start_run_later();
  });
}

void CapacityWorld::start_run(HostId engine) {
  HttpCall call{"POST",
                "/v1/runs",
                {{"Content-Type", "application/json"}},
                R"({"workflow":"pipeline","input":)" +
                    capacity_payload(world_->timeline().now(), options_.payload) + "}"};
  world_->network().send("clients", engine, std::move(call), kPatience, [this](Result<HttpAnswer> answer) {
    if (!answer || answer->status != 201) ++refused_;
  });
}

// --- the figures
// -------------------------------------------------------------------------------------------------------

CapacityWorld::Counted CapacityWorld::count() const {
  Counted counted;
  counted.ended = ended_;
  counted.commits = commits_;
  counted.entries = entries_;
  counted.traffic = world_->network().traffic();
  const StoreServer& store = world_->store();
  counted.store_bytes = store.bytes_written();
  if (store.queues()) {
    counted.groups = store.thread().groups();
    counted.writes = store.thread().writes();
    counted.store_worked = store.thread().worked();
    counted.store_synced = store.thread().synced();
  }
  for (const auto& host : world_->hosts()) counted.engines.push_back(host->worked());
  return counted;
}

void CapacityWorld::evaluate(const Counted& before, const Counted& after) {
  const double seconds = static_cast<double>(options_.measured.count()) / 1e6;
  const auto steps = static_cast<double>(std::max<std::uint64_t>(seen_.results, 1));
  const auto less = [](std::uint64_t from, std::uint64_t to) { return static_cast<double>(to - from); };
  CapacityResult& result = result_;
  result.seconds = seconds;
  result.runs_per_s = less(before.ended, after.ended) / seconds;
  result.steps_per_s = static_cast<double>(seen_.results) / seconds;
  std::ranges::sort(seen_.waits_us);
  result.wait_p50_ms = quantile_ms(seen_.waits_us, 0.5);
  result.wait_p99_ms = quantile_ms(seen_.waits_us, 0.99);

  std::vector<double> busy;
  double engines = 0;
  for (std::size_t i = 0; i < after.engines.size(); ++i) {
    busy.push_back(seconds_of(after.engines[i] - before.engines[i]) / seconds);
    engines += busy.back() * seconds;
  }
  std::ranges::sort(busy);
  result.engine_busy = {busy.front(), busy[busy.size() / 2], busy.back()};
  result.engine_us_per_step = engines * 1e6 / steps;

  const double worked = seconds_of(after.store_worked - before.store_worked);
  const double synced = seconds_of(after.store_synced - before.store_synced);
  result.store_busy = worked / seconds;
  const double full_syncs = less(before.commits, after.commits) *
                            static_cast<double>(options_.store.write.count()) /
                            static_cast<double>(options_.store.most_writes) / 1e6;
  result.store_load = (worked - synced + full_syncs) / seconds;
  result.store_us_per_step = (worked - synced) * 1e6 / steps;
  const double groups = less(before.groups, after.groups);
  result.groups_per_s = groups / seconds;
  result.writes_per_group = less(before.writes, after.writes) / std::max(groups, 1.0);

  const double commits = less(before.commits, after.commits);
  result.commits_per_step = commits / steps;
  result.entries_per_commit = less(before.entries, after.entries) / std::max(commits, 1.0);
  result.store_bytes_per_step = less(before.store_bytes, after.store_bytes) / steps;
  result.requests_per_step = less(before.traffic.requests, after.traffic.requests) / steps;
  result.network_bytes_per_step = less(before.traffic.bytes, after.traffic.bytes) / steps;
  result.open_runs = open_runs();
  result.refused = refused_ + seen_.failed_calls + seen_.rejected;
}

}  // namespace ganglion::sim

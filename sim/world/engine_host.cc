#include "sim/world/engine_host.h"

#include <utility>

#include "base/assert.h"
#include "core/workflow.h"
#include "ports/random.h"
#include "sim/world/audit_link.h"
#include "sim/world/process_clock.h"
#include "sim/world/store_link.h"
#include "sim/world/world.h"

namespace ganglion::sim {
namespace {

// What nobody can guess, except from the seed: other for every life of every host.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t key) : draw_(key) {}
  std::uint64_t next() override { return draw_.word(); }

 private:
  Draw draw_;
};

constexpr SimTime kRestartAfterFailedStart{200'000};

}  // namespace

// One life. Members in the order of use: the engine goes first.
class EngineHost::Process {
 public:
  Process(World& world, EngineHost& host, std::uint64_t life, Timestamp wall)
      : clock(world.timeline(), wall, world.options().service_times),
        store({world.timeline(), world.fate(), world.store()}, clock, host.name(), world.weather().store,
              [&world, &host](StoreLink::Death why) {
                world.saw(why == StoreLink::Death::at_write ? "an engine died at a write"
                                                            : "an engine noticed that writes were lost");
                const SiteId site = world.fate().site(host.name() + ".restart");
                host.kill(world.fate().draw(site).between(SimTime(5'000), SimTime(1'500'000)));
              }),
        bus(world.has_broker() ? world.connect(clock) : BusConnection()),
        audit(world.audit() == nullptr
                  ? nullptr
                  : std::make_unique<AuditLink>(world.timeline(), world.fate(), *world.audit(), clock,
                                                host.name(), world.weather().audit)),
        random(mix(world.fate().seed(), mix(host.id().value() + 1, life))),
        process_agents(world.options().make_executor ? world.options().make_executor(clock) : nullptr),
        http_agents(world.options().make_executor ? world.options().make_executor(clock) : nullptr),
        engine(Engine::Ports{.store = store,
                             .clock = clock,
                             .random = random,
                             .not_before = [this](Timestamp time) { clock.not_before(time); },
                             .compile = world.options().compile,
                             .process = process_agents.get(),
                             .http = http_agents.get(),
                             .bus = bus.bus.get(),
                             .audit = audit.get()},
               options_of(world, host)) {}

  ProcessClock clock;
  StoreLink store;
  BusConnection bus;
  std::unique_ptr<AuditLink> audit;
  SeededRandom random;
  std::unique_ptr<agents::Executor> process_agents;
  std::unique_ptr<agents::Executor> http_agents;
  Engine engine;
  bool serving = false;

 private:
  static EngineOptions options_of(World& world, const EngineHost& host) {
    EngineOptions options = world.options().engine;
    if (world.hosts().size() > 1) options.coordinator.sharing = StoreSharing::shared;
    options.coordinator.on_problem = [&world, name = host.name()](const RunId&, const Error& problem) {
      world.problem(name, problem);
    };
    options.on_event_problem = [&world, name = host.name()](const TopicEvent&, const Error& problem) {
      world.problem(name, problem);
    };
    options.audit.on_recovered = [&world] { world.saw("copying to the audit went on after trouble"); };
    options.cluster.on_problem = [&world, name = host.name()](const Error& problem) {
      world.problem(name, problem);
    };
    options.on_schedule_problem = [&world, name = host.name()](const std::string&, const Error& problem) {
      world.problem(name, problem);
    };
    return options;
  }
};

EngineHost::EngineHost(World& world, HostId id, std::string name, Timestamp wall)
    : world_(world), id_(id), name_(std::move(name)), wall_offset_(wall) {}

EngineHost::~EngineHost() = default;

void EngineHost::start() {
  if (process_) return;
  world_.timeline().call_off(restart_);
  ++lives_;
  const Duration since(world_.timeline().now().count() / 1'000);
  process_ = std::make_unique<Process>(world_, *this, lives_, wall_offset_ + since);
  if (cut_) process_->store.cut();
  if (bus_cut_ && process_->bus.cut) process_->bus.cut();
  world_.trace().add(name_, "starts");
  process_->engine.start(world_.options().project, [this, life = lives_](Result<std::size_t> open_runs) {
    started(life, std::move(open_runs));
  });
}

void EngineHost::started(std::uint64_t life, Result<std::size_t> open_runs) {
  if (life != lives_ || !process_) return;
  if (!open_runs) {
    world_.trace().add(name_, "start failed", open_runs.error().code);
    return kill(kRestartAfterFailedStart);
  }
  world_.trace().add(name_, "serves", std::to_string(*open_runs));
  if (life > 1 && *open_runs > 0) world_.saw("an engine took up open runs");
  process_->serving = true;
  process_->engine.api().set_readiness(ingress::Api::Readiness::ready);
  world_.network().listen(id_, {&process_->engine.router(), &process_->clock});
}

void EngineHost::kill(SimTime until) {
  if (!process_) return;
  world_.trace().add(name_, "dies");
  worked_before_ += process_->clock.worked();
  process_->clock.stop();
  process_->store.stop();
  world_.network().die(id_);
  world_.bury(std::shared_ptr<Process>(std::move(process_)));
  restart_ = world_.timeline().after(until, [this] { start(); });
}

void EngineHost::pause() {
  if (!process_) return;
  world_.trace().add(name_, "pauses");
  process_->clock.pause();
}

void EngineHost::go_on() {
  if (!process_ || !process_->clock.paused()) return;
  world_.trace().add(name_, "goes on");
  process_->clock.go_on();
}

bool EngineHost::paused() const {
  return process_ && process_->clock.paused();
}

void EngineHost::cut_from_bus() {
  bus_cut_ = true;
  if (process_ && process_->bus.cut) process_->bus.cut();
}

void EngineHost::mend_to_bus() {
  bus_cut_ = false;
  if (process_ && process_->bus.mend) process_->bus.mend();
}

void EngineHost::cut_from_store() {
  cut_ = true;
  if (process_) process_->store.cut();
}

void EngineHost::mend_to_store() {
  cut_ = false;
  if (process_) process_->store.mend();
}

bool EngineHost::serves() const {
  return process_ && process_->serving;
}

Engine& EngineHost::engine() {
  GANGLION_ASSERT(process_);
  return process_->engine;
}

std::size_t EngineHost::pending_timers() const {
  return process_ ? process_->clock.pending() : 0;
}

WorkTime EngineHost::worked() const {
  return worked_before_ + (process_ ? process_->clock.worked() : WorkTime(0));
}

Timestamp EngineHost::now() const {
  if (process_) return process_->clock.now();
  return wall_offset_ + Duration(world_.timeline().now().count() / 1'000);
}

}  // namespace ganglion::sim

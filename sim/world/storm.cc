#include "sim/world/storm.h"

#include <chrono>
#include <utility>

namespace ganglion::sim {
namespace {

constexpr SimTime kTick{100'000};
constexpr double kTicksPerHour = 36'000;

}  // namespace

Storm::Storm(World& world, SimTime until) : world_(world), until_(until) {
  tick();
}

void Storm::also(std::string site, const Spell& spell, Strike strike) {
  others_.push_back({std::move(site), &spell, std::move(strike)});
}

Storm::~Storm() {
  world_.timeline().call_off(next_tick_);
}

void Storm::tick() {
  if (world_.timeline().now() > until_) return;
  engines();
  store();
  audit();
  for (Other& other : others_) {
    Draw draw(0);
    if (begins(other.site, *other.spell, draw)) other.strike(other.spell->length(draw));
  }
  next_tick_ = world_.timeline().after(kTick, [this] { tick(); });
}

bool Storm::begins(const std::string& site, const Spell& spell, Draw& rest) {
  if (spell.per_hour <= 0) return false;
  const auto occasion = world_.fate().occasion(world_.fate().site(site), spell.per_hour / kTicksPerHour);
  if (occasion) world_.trace().add("storm", site);
  rest = occasion.draw;
  return occasion.happens;
}

void Storm::engines() {
  for (const auto& host : world_.hosts()) engine(*host);
}

void Storm::engine(EngineHost& host) {
  Timeline& timeline = world_.timeline();
  const Weather& weather = world_.weather();
  Draw draw(0);
  if (begins(host.name() + ".crash", weather.engine_crash, draw)) {
    host.kill(weather.engine_crash.length(draw));
  }
  if (begins(host.name() + ".pause", weather.engine_pause, draw)) {
    host.pause();
    timeline.after(weather.engine_pause.length(draw), [&host] { host.go_on(); });
  }
  if (begins(host.name() + ".store_partition", weather.store_partition, draw)) {
    host.cut_from_store();
    timeline.after(weather.store_partition.length(draw), [&host] { host.mend_to_store(); });
  }
  if (begins(host.name() + ".bus_partition", weather.bus_partition, draw)) {
    host.cut_from_bus();
    timeline.after(weather.bus_partition.length(draw), [&host] { host.mend_to_bus(); });
  }
  if (begins(host.name() + ".client_partition", weather.client_partition, draw)) {
    const SimTime end = weather.client_partition.length(draw);
    const std::uint64_t ways = 1 + draw.below(3);
    for (const auto& [bit, way] :
         {std::pair(1u, HttpNetwork::Way::to_host), std::pair(2u, HttpNetwork::Way::from_host)}) {
      if ((ways & bit) == 0) continue;
      world_.network().part(host.id(), way);
      timeline.after(end, [&world = world_, id = host.id(), way] { world.network().mend(id, way); });
    }
  }
  if (begins(host.name() + ".clock_jump", weather.clock_jump, draw)) {
    const std::int64_t most = weather.clock_jump_most.count();
    host.set_clock(Duration(draw.between(-most, most)));
  }
}

// All is drawn on every tick, so that what is left out moves nothing else; one thing at a time breaks it.
void Storm::store() {
  StoreServer& server = world_.store();
  const Weather& weather = world_.weather();
  Draw down(0), full(0), failover(0), slow(0);
  const bool goes_down = begins("store.down", weather.store_down, down);
  const bool gets_full = begins("store.full", weather.store_full, full);
  const bool fails_over = begins("store.failover", weather.store_failover, failover);
  const bool gets_slow = begins("store.slow", weather.store_slow, slow);
  if (gets_slow) {
    server.slow_down(static_cast<int>(slow.between(10, 2'000)));
    world_.timeline().after(weather.store_slow.length(slow), [&server] { server.slow_down(1); });
  }
  if (server.state() != StoreServer::State::up) return;
  if (goes_down) {
    server.set(StoreServer::State::down);
    up_after(weather.store_down.length(down));
  } else if (gets_full) {
    server.set(StoreServer::State::full);
    up_after(weather.store_full.length(full));
  } else if (fails_over) {
    server.set(StoreServer::State::down);
    const auto loses = static_cast<std::size_t>(failover.between(0, weather.failover_loses));
    const std::uint64_t before = server.losses();
    if (server.fail_over(loses) > 0) world_.saw("a failover lost commits");
    if (server.losses() > before) world_.writes_were_lost();
    up_after(weather.store_failover.length(failover));
  }
}

void Storm::audit() {
  AuditServer* const audit = world_.audit();
  Draw draw(0);
  if (audit == nullptr || !begins("audit.down", world_.weather().audit_down, draw) || !audit->up()) return;
  audit->set_up(false);
  audit_up_ =
      world_.timeline().after(world_.weather().audit_down.length(draw), [audit] { audit->set_up(true); });
}

void Storm::up_after(SimTime time) {
  store_up_ =
      world_.timeline().after(time, [&server = world_.store()] { server.set(StoreServer::State::up); });
}

void Storm::heal() {
  until_ = world_.timeline().now() - SimTime(1);
  world_.weather().calm();
  world_.timeline().call_off(store_up_);
  world_.store().set(StoreServer::State::up);
  world_.store().slow_down(1);
  if (world_.audit() != nullptr) {
    world_.timeline().call_off(audit_up_);
    world_.audit()->set_up(true);
  }
  for (const auto& host : world_.hosts()) {
    world_.network().mend(host->id(), HttpNetwork::Way::to_host);
    world_.network().mend(host->id(), HttpNetwork::Way::from_host);
    host->mend_to_store();
    host->mend_to_bus();
    host->go_on();
    if (world_.hosts().size() > 1 && !world_.has_broker()) host->kill(SimTime(1'000));
    if (!host->runs()) host->start();
  }
}

}  // namespace ganglion::sim

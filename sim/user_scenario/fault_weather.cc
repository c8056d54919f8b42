#include "sim/user_scenario/fault_weather.h"

namespace ganglion::sim {
namespace {

constexpr double kNanosecondsPerHour = 3'600e9;

// One of `sharers`.
Spell spell_of(const scenario::Outage& outage, std::uint32_t sharers) {
  Spell spell{.lasts = draw_time(outage.lasts)};
  const auto gap = static_cast<double>(outage.rate.mean_gap.count());
  if (gap > 0) spell.per_hour = kNanosecondsPerHour / gap / sharers;
  return spell;
}

}  // namespace

DrawTime draw_time(const scenario::Latency& latency) {
  return [latency](Draw& draw) { return SimTime(scenario::sample(latency, draw.word())); };
}

Weather weather_of(const scenario::Scenario& scenario) {
  const scenario::Faults& faults = scenario.faults;
  Weather weather;
  weather.network = {.lost_request = faults.network.drop.rate(),
                     .lost_answer = faults.network.drop.rate(),
                     .duplicate = faults.network.duplicate.rate(),
                     .latency = draw_time(faults.network.delay)};
  weather.engine_crash = spell_of(faults.engine_crash, scenario.engines);
  weather.engine_pause = spell_of(faults.engine_pause, scenario.engines);
  weather.store_down = spell_of(faults.store_outage, 1);
  weather.store_partition = spell_of(faults.network.partition, 2 * scenario.engines);
  weather.client_partition = weather.store_partition;
  weather.worker_crash = spell_of(faults.worker_crash, scenario.workers);
  return weather;
}

}  // namespace ganglion::sim

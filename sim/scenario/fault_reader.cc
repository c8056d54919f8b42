#include "sim/scenario/fault_reader.h"

#include <array>
#include <utility>

namespace ganglion::scenario {
namespace {

Network read_network(const Field& field, const Reading& reading) {
  Network network;
  Fields fields(field, reading.diagnostics);
  if (const auto drop = fields.take("drop")) network.drop = read_chance(*drop, reading);
  if (const auto duplicate = fields.take("duplicate")) network.duplicate = read_chance(*duplicate, reading);
  if (const auto delay = fields.take("delay")) {
    network.delay = read_latency(*delay, reading).value_or(network.delay);
  }
  if (const auto partition = fields.take("partition")) read_outage(*partition, reading, network.partition);
  fields.finish();
  return network;
}

}  // namespace

Faults read_faults(const Field& field, const Reading& reading) {
  Faults faults;
  Fields fields(field, reading.diagnostics);
  const std::array<std::pair<std::string_view, Outage*>, 4> outages = {{
      {"engine_crash", &faults.engine_crash},
      {"engine_pause", &faults.engine_pause},
      {"store_outage", &faults.store_outage},
      {"worker_crash", &faults.worker_crash},
  }};
  for (const auto& [key, outage] : outages) {
    if (const auto given = fields.take(key)) read_outage(*given, reading, *outage);
  }
  if (const auto network = fields.take("network")) faults.network = read_network(*network, reading);
  fields.finish();
  return faults;
}

}  // namespace ganglion::scenario

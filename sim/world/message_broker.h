#pragma once

// The world's message broker, as processes see it: each has a connection, which can be cut. The broker itself
// lives as long as the world. Whoever tells a story brings one (adapters/memory).

#include <functional>
#include <memory>
#include <utility>

#include "ports/bus.h"
#include "ports/clock.h"

namespace ganglion::sim {

struct BusConnection {
  std::unique_ptr<Bus> bus;
  std::function<void()> cut;
  std::function<void()> mend;
};

// A connection of a process to one broker.
using BusFactory = std::function<BusConnection(Clock& clock)>;
// Another broker, with nothing in it.
using BrokerFactory = std::function<BusFactory()>;

// A connection of this kind of bus, which has `cut` and `mend`.
template <typename T>
BusConnection bus_connection(std::unique_ptr<T> bus) {
  T* raw = bus.get();
  return {std::move(bus), [raw] { raw->cut(); }, [raw] { raw->mend(); }};
}

}  // namespace ganglion::sim

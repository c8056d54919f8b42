#pragma once

// What work costs an engine: how long its one event loop thread is busy with each piece. Everything is free
// by default, so that a world without them tells the story that it always told. A process's clock keeps the
// account (process_clock.h); the network and the store's link charge what they see of the engine's work.

#include <chrono>
#include <cstddef>

namespace ganglion::sim {

using WorkTime = std::chrono::nanoseconds;

struct ServiceTimes {
  WorkTime request{};    // a request taken in: socket, HTTP, its envelope
  WorkTime answer{};     // an answer written out
  WorkTime kib{};        // of bodies, either way
  WorkTime commit{};     // decided, encoded, given to the store
  WorkTime entry{};      // of a commit
  WorkTime committed{};  // its outcome taken in and carried out: tasks queued, the input answered
  WorkTime read{};       // a read of the store, both ways
  WorkTime open_run{};   // read, folded and taken up when an engine starts

  bool operator==(const ServiceTimes&) const = default;
};

inline WorkTime of_bytes(WorkTime kib, std::size_t bytes) {
  return WorkTime(kib.count() * static_cast<std::int64_t>(bytes) / 1'024);
}

}  // namespace ganglion::sim

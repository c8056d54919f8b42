#pragma once

// What a piece of work costs, as measured with the optimised build on the machine of docs/performance.md
// (2 virtual cores of an AMD EPYC). `bench/service_times --folder /dev/shm` gives the figures that these are
// made from; docs/operations/scaling.md has them with the arithmetic. They hold for small payloads and for
// pipelines; measure again before you trust them on another machine.

#include "sim/world/http_network.h"
#include "sim/world/service_times.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

inline constexpr ServiceTimes kMeasuredEngine{
    // A result and a task an exchange against 19 of them: 43.7 - 25.9 µs a step, for 0.95 exchanges more. The
    // two ends of it were not measured apart.
    .request = WorkTime(10'000),
    .answer = WorkTime(9'000),
    // Payloads of 4 KiB against 200 bytes: 38.7 µs a step for 10.4 KiB more of bodies.
    .kib = WorkTime(3'700),
    // What is left of a step with 19 tasks an exchange: 18.7 µs for 1.33 commits and 4 entries. How it
    // divides
    // into commits and entries is a guess that a map of 10,000 items (9.8 µs an item of 2 entries and a task)
    // doesn't contradict; a pipeline's sum doesn't depend on it.
    .commit = WorkTime(2'500),
    .entry = WorkTime(3'000),
    .committed = WorkTime(2'500),
    // Not measured apart: like an answer without its socket.
    .read = WorkTime(5'000),
    // Restarts with 10,000 to 79,000 open runs: 10.0 to 10.6 µs a run.
    .open_run = WorkTime(10'300),
};

inline constexpr StoreServerOptions kMeasuredStore{
    // One fdatasync after an append of 300 bytes on a quiet disk: 6,100 to 7,000 a second.
    .write = SimTime(150),
    .read = SimTime(10),
    // 14.1 µs a step with 500 clients, less its entries, for 1.33 commits.
    .per_commit = WorkTime(3'700),
    // A map: 4.5 µs an item of 2 entries.
    .per_entry = WorkTime(2'300),
    // Payloads of 4 KiB against 200 bytes; includes cutting large rows into pieces.
    .per_kib = WorkTime(7'000),
    // Restarts: 5.8 to 6.6 µs a run.
    .per_open_run = WorkTime(6'200),
    .most_writes = 1'024,  // kMaxGroupWrites of the SQLite store
};

// Within one data centre: assumed, not measured. One way.
inline constexpr SimTime kNetworkLeast{40};
inline constexpr SimTime kNetworkMost{160};

}  // namespace ganglion::sim

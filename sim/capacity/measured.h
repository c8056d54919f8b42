#pragma once

// What a piece of work costs, as measured with the optimised build on the machine of docs/performance.md
// (2 virtual cores of an AMD EPYC). `bench/service_times --folder /dev/shm` gives the figures that these are
// made from; docs/operations/scaling.md has them with the arithmetic. They hold for small payloads and for
// pipelines, and were taken before the server had mimalloc, which takes up to a tenth off a step. Measure
// again before you trust them on another machine.

#include "sim/world/http_network.h"
#include "sim/world/service_times.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

inline constexpr ServiceTimes kMeasuredEngine{
    // One result and one task an exchange against 18 or 19 of each: 17.8 and 19.9 us a step for 0.95
    // exchanges.
    // Its two ends were not measured apart.
    .request = WorkTime(10'000),
    .answer = WorkTime(9'500),
    // Payloads of 2 KiB against 200 bytes: 15.6 us a step for 4.8 KiB of bodies.
    .kib = WorkTime(3'250),
    // What is left of a step with 18 or 19 an exchange: 14.5 of 25.3 us, for 1.33 commits and 2.67 entries.
    // Beside it an item of a wide map: 8.3 of 9.8 us, for 2 entries and hardly a commit.
    .commit = WorkTime(1'300),
    .entry = WorkTime(4'200),
    .committed = WorkTime(1'200),
    // Not measured: assumed, and rare.
    .read = WorkTime(5'000),
    // Restarts with 1,000 to 79,000 open runs: 9.0 to 10.8 us a run.
    .open_run = WorkTime(10'000),
};

inline constexpr StoreServerOptions kMeasuredStore{
    // An append of 300 bytes and its fdatasync, when nobody else uses the disk: 6,100 to 7,000 a second.
    .write = SimTime(150),
    .read = SimTime(10),  // assumed
    // What is left of a step with 500 clients: 8.2 of 14.1 us, for 1.33 commits and 2.67 entries; and of an
    // item
    // of a wide map: 2.6 of 4.5 us for 2 entries.
    .per_commit = WorkTime(3'500),
    .per_entry = WorkTime(1'300),
    // Payloads of 2 KiB against 200 bytes: 19.5 us a step for 2.4 KiB.
    .per_kib = WorkTime(8'100),
    // Restarts with 1,000 to 79,000 open runs: 4.4 to 6.6 us a run.
    .per_open_run = WorkTime(5'900),
    .most_writes = 1'024,  // kMaxGroupWrites of the SQLite store
};

// Within one data centre: assumed, not measured. One way.
inline constexpr SimTime kNetworkLeast{40};
inline constexpr SimTime kNetworkMost{160};

}  // namespace ganglion::sim

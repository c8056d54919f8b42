#pragma once

// What may go wrong in a world, and how likely. Everything is off by default; a scenario turns on what it
// wants.

#include <utility>

#include "sim/world/audit_link.h"
#include "sim/world/http_network.h"
#include "sim/world/store_link.h"

namespace ganglion::sim {

// Something that begins now and then and lasts a while.
struct Spell {
  double per_hour = 0;  // of virtual time
  SimTime least{1'000'000};
  SimTime most{10'000'000};
  DrawTime lasts = {};  // in place of these two

  SimTime length(Draw& draw) const { return lasts ? lasts(draw) : draw.between(least, most); }
};

struct Weather {
  NetworkFaults network = {};
  StoreLinkFaults store = {};
  AuditLinkFaults audit = {};

  Spell engine_crash = {};  // lasts until it is started again
  Spell engine_pause = {};  // SIGSTOP, then SIGCONT
  Spell store_down = {};
  Spell store_full = {};
  Spell store_slow = {};
  Spell store_failover = {};   // down, then a copy takes over
  int failover_loses = 0;      // writes that the copy has not seen, at most
  Spell store_partition = {};  // between one engine and the store
  Spell audit_down = {};
  Spell bus_partition = {};     // between one engine and the broker
  Spell client_partition = {};  // between one engine and all programs, one way or both
  Spell clock_jump = {};        // of one host's wall clock, either way
  Spell worker_crash = {};      // of one worker process, as engine_crash
  Duration clock_jump_most = std::chrono::hours(24);

  // The breaking is over.
  void calm() {
    network = {.latency_least = network.latency_least,
               .latency_most = network.latency_most,
               .latency = std::move(network.latency)};
    const StoreLinkFaults before = store;
    store = {};
    store.latency_least = before.latency_least;
    store.latency_most = before.latency_most;
    audit = {.latency_least = audit.latency_least, .latency_most = audit.latency_most};
    audit_down = {};
    engine_crash = engine_pause = store_down = store_full = store_slow = store_failover = {};
    store_partition = bus_partition = client_partition = clock_jump = worker_crash = {};
  }
};

}  // namespace ganglion::sim

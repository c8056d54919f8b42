#pragma once

// A scenario file carried out on a world: engines over one store, workers that perform every agent as its
// script says, clients, publishers and people, and a storm. For `duration` runs arrive and things break; then
// everything heals, and what began before must end within `settle`; then the totals are looked at, and the
// engine's promises are held against what is there and what was said. The first violation ends the story.
//
// Who may be left waiting: a run that needs a decision of somebody whom the scenario has nobody for. It stays
// open, and only the totals tell. Every other run that has not ended is a violation that says what it waits
// for: a person who takes longer than `settle`, an event that nobody publishes, somebody who resumes it.
// Runs that begin when everything has healed (a schedule's) are not waited for at the end.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/runner/seed_result.h"
#include "sim/scenario/scenario.h"
#include "sim/world/world.h"

namespace ganglion::sim {

struct UserScenarioOptions {
  std::shared_ptr<const scenario::Scenario> scenario;
  std::shared_ptr<const Project> project;  // that it was read for
  StoreFactory make_store;
  // Told of every entry of every journal at the end, run by run, as GET /v1/runs/{id}/journal gives them:
  // what another scenario takes as recorded.
  std::function<void(std::string_view line)> journals = {};
};

SeedResult run_user_scenario(std::uint64_t seed, const OnlyEvents& only, Trace::Sink sink,
                             const UserScenarioOptions& options);

// What some seed should have seen: an entry for each expectation of kind `sometimes`.
std::vector<std::string> expected_sightings(const scenario::Scenario& scenario);

}  // namespace ganglion::sim

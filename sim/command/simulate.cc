#include "sim/command/simulate.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>
#include <utility>

#include "sim/command/scenarios.h"
#include "sim/runner/report.h"
#include "sim/runner/seed_pool.h"
#include "sim/runner/shrink.h"

namespace ganglion::sim {
namespace {

using WallClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kProgressEvery{200};

std::string join(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ",") + text;
  return joined;
}

std::string quoted(const std::string& word) {
  const bool plain =
      word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-:,@") ==
      std::string::npos;
  return plain && !word.empty() ? word : "'" + word + "'";
}

class Simulation {
 public:
  Simulation(const SimulateOptions& options, const SimulateIo& io, PreparedScenario scenario)
      : options_(options),
        io_(io),
        scenario_(std::move(scenario)),
        pool_(scenario_.run, {.jobs = jobs(), .stop_after_failures = options.max_failures}),
        report_(options.scenario, scenario_.expected_sightings) {
    if (options.only || options.seeds < scenario_.enough_seeds) report_.excuse_missed();
  }

  Simulated run() {
    const auto begin = WallClock::now();
    if (options_.only) {
      ended(pool_.run_one(options_.first_seed, options_.only));
    } else {
      pool_.run({options_.first_seed, options_.seeds}, [&](SeedResult result) { ended(std::move(result)); });
    }
    clear_progress();
    report_.took(std::chrono::duration_cast<std::chrono::milliseconds>(WallClock::now() - begin));
    std::ranges::sort(failures_, {}, &SeedResult::seed);
    for (SeedResult& failure : failures_) report_.add(explain(std::move(failure)));
    clear_progress();
    say();
    return report_.holds() ? Simulated::holds : Simulated::fails;
  }

 private:
  unsigned jobs() const {
    if (options_.jobs > 0) return std::min(options_.jobs, kMaxJobs);
    return std::clamp(std::thread::hardware_concurrency(), 1u, kMaxJobs);
  }

  void ended(SeedResult result) {
    report_.add(result);
    if (!result.violations.empty() && failures_.size() < options_.max_failures)
      failures_.push_back(std::move(result));
    progress(std::to_string(report_.seeds()) + " of " + std::to_string(options_.seeds) + " seeds, " +
             std::to_string(report_.failures()) + " failed");
  }

  FailedSeed explain(SeedResult result) {
    FailedSeed failed{.result = std::move(result)};
    const SeedResult& of = failed.result;
    if (options_.shrinks && !of.events.empty()) {
      const std::string kind = kind_of_violation(of.violations.front());
      const auto still_fails = [&](const std::vector<std::string>& events) {
        progress("seed " + std::to_string(of.seed) + " fails; looking for the events that it needs: " +
                 std::to_string(events.size()) + " of " + std::to_string(of.events.size()));
        const SeedResult tried = pool_.run_one(of.seed, std::set(events.begin(), events.end()));
        return std::ranges::any_of(tried.violations,
                                   [&](const std::string& v) { return kind_of_violation(v) == kind; });
      };
      Shrunk shrunk = shrink(of.events, still_fails);
      failed.tries = shrunk.tries;
      failed.shrunk = std::move(shrunk.events);
    }
    failed.reproduce = "ganglion sim " + quoted(options_.scenario) + " --seed " + std::to_string(of.seed);
    // Every event of a run of some is one of them.
    const auto& needed = failed.shrunk ? failed.shrunk : events_asked_for();
    if (needed) failed.reproduce += " --only " + quoted(join(*needed));
    return failed;
  }

  std::optional<std::vector<std::string>> events_asked_for() const {
    if (!options_.only) return std::nullopt;
    return std::vector<std::string>(options_.only->begin(), options_.only->end());
  }

  void say() {
    if (options_.timeline) tell_story();
    io_.output(options_.json ? report_.json() + "\n" : report_.table());
    if (!options_.junit) return;
    std::ofstream file(*options_.junit, std::ios::binary);
    file << report_.junit();
    if (!file.flush()) io_.message("can't write " + *options_.junit + "\n");
  }

  // Of the first failure with the events that it needs, else of the first seed.
  void tell_story() {
    std::uint64_t seed = options_.first_seed;
    OnlyEvents only = options_.only;
    if (!report_.failed().empty()) {
      const FailedSeed& failed = report_.failed().front();
      seed = failed.result.seed;
      if (failed.shrunk) only = std::set(failed.shrunk->begin(), failed.shrunk->end());
    }
    scenario_.run(
        seed, only,
        [this](SimTime at, std::string_view who, std::string_view what, std::string_view details) {
          std::string line = format_sim_time(at);
          line.insert(0, line.size() < 16 ? 16 - line.size() : 0, ' ');
          line += "  " + std::string(who);
          line.append(who.size() < 14 ? 14 - who.size() : 1, ' ');
          io_.message(line + std::string(what) + (details.empty() ? "" : " ") + std::string(details) + "\n");
        });
  }

  void progress(const std::string& text) {
    if (!io_.live) return;
    const auto now = WallClock::now();
    if (now - drawn_ < kProgressEvery) return;
    drawn_ = now;
    io_.message("\r\x1b[2K" + text);
    is_drawn_ = true;
  }
  void clear_progress() {
    if (std::exchange(is_drawn_, false)) io_.message("\r\x1b[2K");
  }

  const SimulateOptions& options_;
  const SimulateIo& io_;
  PreparedScenario scenario_;
  SeedPool pool_;
  Report report_;
  std::vector<SeedResult> failures_;
  WallClock::time_point drawn_{};
  bool is_drawn_ = false;
};

}  // namespace

Simulated simulate(const SimulateOptions& options, const SimulateIo& io, const Backends& backends) {
  auto scenario = prepare_scenario(options.scenario, backends);
  if (!scenario) {
    io.message(scenario.error().message + "\n");
    return Simulated::invalid;
  }
  return Simulation(options, io, *std::move(scenario)).run();
}

}  // namespace ganglion::sim

// What a number of coordinators over one store can take, simulated with measured service times
// (sim/capacity/capacity.h). docs/operations/scaling.md says what came out.
//
//   ganglion_capacity_bench [--coordinators 1] [--workers 100] [--runs-per-s 1000] [--work-ms 300]
//                           [--open-runs N]        instead of a rate: as many as are open at it
//                           [--payload 200] [--seconds 2] [--warm-up-ms 0] [--seed 1]
//                           [--sync-us 150]        of the store's disk
//                           [--restart 1]          at the end the first coordinator dies and starts again
//                           [--json 1]
//
// The store keeps everything in this process's memory. Ends with 1 if something was refused.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include <unistd.h>

#include "adapters/memory/store.h"
#include "sim/capacity/capacity.h"

namespace ganglion::bench {
namespace {

using sim::CapacityResult;
using Steady = std::chrono::steady_clock;

struct Options {
  sim::CapacityOptions world;
  bool restart = false;
  bool json = false;
};

// Of this process, which holds the whole world.
struct Process {
  double resident_mib = 0;
  double seconds = 0;  // of real time
  double restart_s = 0;
  double resident_after_restart_mib = 0;
};

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

Options parse(int argc, char** argv) {
  std::map<std::string_view, double> given = {
      {"--coordinators", 1}, {"--workers", 100}, {"--runs-per-s", 1'000}, {"--work-ms", 300},
      {"--open-runs", 0},    {"--payload", 200}, {"--seconds", 2},        {"--warm-up-ms", 0},
      {"--seed", 1},         {"--sync-us", 150}, {"--restart", 0},        {"--json", 0}};
  for (int i = 1; i < argc; i += 2) {
    const auto flag = given.find(argv[i]);
    if (flag == given.end() || i + 1 == argc)
      throw std::runtime_error(std::string("unknown or alone: ") + argv[i]);
    flag->second = std::atof(argv[i + 1]);
  }
  Options options;
  sim::CapacityOptions& world = options.world;
  world.seed = static_cast<std::uint64_t>(given["--seed"]);
  world.coordinators = static_cast<std::uint32_t>(given["--coordinators"]);
  world.workers = static_cast<std::uint32_t>(given["--workers"]);
  world.work = sim::SimTime(static_cast<std::int64_t>(given["--work-ms"] * 1e3));
  world.runs_per_s = given["--runs-per-s"];
  if (given["--open-runs"] > 0) {
    world.runs_per_s = given["--open-runs"] * 1e3 / (sim::kCapacitySteps * given["--work-ms"]);
  }
  world.payload = static_cast<std::size_t>(given["--payload"]);
  world.measured = sim::SimTime(static_cast<std::int64_t>(given["--seconds"] * 1e6));
  world.warm_up = sim::SimTime(static_cast<std::int64_t>(given["--warm-up-ms"] * 1e3));
  world.store.write = sim::SimTime(static_cast<std::int64_t>(given["--sync-us"]));
  options.restart = given["--restart"] > 0;
  options.json = given["--json"] > 0;
  if (world.coordinators < 1 || world.workers < world.coordinators || !(world.runs_per_s > 0) ||
      world.work.count() < 1 || world.measured.count() < 1) {
    throw std::runtime_error("at least one coordinator, a worker for each, a rate, work and seconds");
  }
  return options;
}

// Of what nothing can be added to; nothing where there is room everywhere.
std::string_view saturated(const CapacityResult& result) {
  constexpr double kFull = 0.95;
  if (result.store_load > kFull && result.store_load >= result.engine_busy.median) return "store";
  return result.engine_busy.median > kFull ? "coordinators" : "nothing";
}

sim::PaperModel paper(const Options& options, const sim::StepCost& step) {
  return {options.world.engine, options.world.store, step};
}

void print_json(const Options& options, const CapacityResult& r, const Process& process) {
  std::printf(
      R"({"coordinators":%u,"workers":%u,"offered_runs_per_s":%.1f,"work_ms":%.1f,"payload":%zu,"sync_us":%lld)",
      options.world.coordinators, options.world.workers, options.world.runs_per_s,
      static_cast<double>(options.world.work.count()) / 1e3, options.world.payload,
      static_cast<long long>(options.world.store.write.count()));
  std::printf(R"(,"runs_per_s":%.1f,"steps_per_s":%.1f,"wait_ms":{"p50":%.3f,"p99":%.3f})", r.runs_per_s,
              r.steps_per_s, r.wait_p50_ms, r.wait_p99_ms);
  std::printf(R"(,"engine_busy":{"min":%.4f,"median":%.4f,"max":%.4f},"engine_us_per_step":%.2f)",
              r.engine_busy.least, r.engine_busy.median, r.engine_busy.most, r.engine_us_per_step);
  std::printf(
      R"(,"store_busy":%.4f,"store_load":%.4f,"store_us_per_step":%.2f,"groups_per_s":%.1f,"writes_per_group":%.2f)",
      r.store_busy, r.store_load, r.store_us_per_step, r.groups_per_s, r.writes_per_group);
  std::printf(R"(,"requests_per_step":%.3f,"network_bytes_per_step":%.0f,"commits_per_step":%.3f)",
              r.requests_per_step, r.network_bytes_per_step, r.commits_per_step);
  std::printf(R"(,"entries_per_commit":%.3f,"store_bytes_per_step":%.0f,"open_runs":%zu,"refused":%llu)",
              r.entries_per_commit, r.store_bytes_per_step, r.open_runs,
              static_cast<unsigned long long>(r.refused));
  std::printf(R"(,"paper_steps_per_s":%.0f,"paper_steps_per_s_batched":%.0f,"paper_store_steps_per_s":%.0f)",
              paper(options, sim::kStepWithFewResults).steps_per_s(options.world.coordinators),
              paper(options, sim::kStepWithManyResults).steps_per_s(options.world.coordinators),
              paper(options, sim::kStepWithFewResults).store_steps_per_s());
  std::printf(R"(,"resident_mib":%.1f,"wall_s":%.1f,"restart_s":%.3f,"saturated":"%s"})"
              "\n",
              process.resident_mib, process.seconds, process.restart_s, std::string(saturated(r)).c_str());
}

void print_table(const Options& options, const CapacityResult& r, const Process& process) {
  std::printf("%u coordinators, %u workers, %.0f runs/s offered, %.1f s of work a step\n",
              options.world.coordinators, options.world.workers, options.world.runs_per_s,
              static_cast<double>(options.world.work.count()) / 1e6);
  std::printf("  throughput        %.0f runs/s, %.0f steps/s; %zu runs open at the end\n", r.runs_per_s,
              r.steps_per_s, r.open_runs);
  std::printf("  overhead a step   p50 %.2f ms, p99 %.2f ms\n", r.wait_p50_ms, r.wait_p99_ms);
  std::printf("  coordinators      busy %.1f %% / %.1f %% / %.1f %% (least, median, most), %.1f us a step\n",
              r.engine_busy.least * 100, r.engine_busy.median * 100, r.engine_busy.most * 100,
              r.engine_us_per_step);
  std::printf("  store             loaded %.1f %%, %.1f us a step; %.0f groups/s of %.1f commits\n",
              r.store_load * 100, r.store_us_per_step, r.groups_per_s, r.writes_per_group);
  std::printf(
      "  a step            %.2f requests, %.0f bytes of bodies, %.2f commits of %.2f entries, %.0f bytes "
      "stored\n",
      r.requests_per_step, r.network_bytes_per_step, r.commits_per_step, r.entries_per_commit,
      r.store_bytes_per_step);
  std::printf("  on paper          %.0f steps/s, %.0f with full exchanges; the store alone %.0f\n",
              paper(options, sim::kStepWithFewResults).steps_per_s(options.world.coordinators),
              paper(options, sim::kStepWithManyResults).steps_per_s(options.world.coordinators),
              paper(options, sim::kStepWithFewResults).store_steps_per_s());
  std::printf("  this process      %.0f MiB resident, %.2f KiB an open run; %.1f s\n", process.resident_mib,
              process.resident_mib * 1024 / static_cast<double>(std::max<std::size_t>(r.open_runs, 1)),
              process.seconds);
  if (process.restart_s > 0) {
    std::printf(
        "  restart           %.2f s until the first coordinator served again; %.0f MiB resident then\n",
        process.restart_s, process.resident_after_restart_mib);
  }
  std::printf("  saturated         %s%s\n", std::string(saturated(r)).c_str(),
              r.refused > 0 ? "; calls failed or were refused" : "");
}

int run(const Options& options) {
  const auto began = Steady::now();
  sim::CapacityWorld world(options.world,
                           [](Clock& clock) { return std::make_unique<memory::Store>(clock); });
  world.warm_up();
  world.measure();
  const CapacityResult& result = world.result();
  Process process{.resident_mib = resident_mib(),
                  .seconds = std::chrono::duration<double>(Steady::now() - began).count()};
  if (options.restart) {
    process.restart_s = static_cast<double>(world.restart().count()) / 1e6;
    process.resident_after_restart_mib = resident_mib();
  }
  (options.json ? print_json : print_table)(options, result, process);
  std::fflush(stdout);
  // Taking a world of millions of runs apart would take as long as building it.
  _exit(result.refused > 0 ? 1 : 0);
}

}  // namespace
}  // namespace ganglion::bench

int main(int argc, char** argv) {
  try {
    return ganglion::bench::run(ganglion::bench::parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ganglion_capacity_bench: %s\n", error.what());
    return 2;
  }
}

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <map>
#include "adapters/memory/store.h"
#include "project/project.h"
#include "sim/engine_scenario/engine_scenario.h"
using namespace ganglion;
int main(int argc, char** argv) {
  sim::EngineScenarioOptions o;
  std::map<std::string, std::shared_ptr<const Project>> cache;
  o.make_store = [](Clock& c) { return std::make_unique<memory::Store>(c); };
  o.compile = [&](const std::string& s) -> Result<std::shared_ptr<const Project>> {
    if (auto f = cache.find(s); f != cache.end()) return f->second;
    auto p = project::parse(s, "p");
    if (!p) {
      std::fprintf(stderr, "%s\n", p.error().front().text().c_str());
      return fail("x", "y");
    }
    cache.emplace(s, *p);
    return *p;
  };
  unsigned long from = std::strtoul(argv[1], nullptr, 10),
                to = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : from;
  if (argc > 3)
    sink = [](sim::SimTime at, std::string_view who, std::string_view what, std::string_view d) {
      std::printf("%s %.*s %.*s %.*s\n", sim::format_sim_time(at).c_str(), (int)who.size(), who.data(),
                  (int)what.size(), what.data(), (int)d.size(), d.data());
    };
  std::map<std::string, unsigned long> saw;
  unsigned long failed = 0, steps = 0, writes = 0, runs = 0;
  auto t = std::chrono::steady_clock::now();
  for (unsigned long s = from; s <= to; ++s) {
    auto r = sim::run_engine_scenario(s, {}, sink, o);
    steps += r.steps;
    writes += r.writes;
    runs += r.runs;
    for (auto& [k, n] : r.sightings) saw[k] += n;
    if (!r.violations.empty()) {
      ++failed;
      std::printf("seed %lu: %s\n", s, r.violations.front().c_str());
      std::fflush(stdout);
    }
  }
  double sec = std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
  std::printf("%lu failed of %lu; %.1f s, %lu steps %lu writes %lu runs\n", failed, to - from + 1, sec, steps,
              writes, runs);
  if (std::getenv("SAW")) {
    for (auto& [k, n] : saw) std::printf("%8lu %s\n", n, k.c_str());
    for (auto& e : sim::expected_sightings())
      if (!saw.contains(e)) std::printf("NEVER %s\n", e.c_str());
  }
}

#include "sim/world/world.h"

#include <utility>

namespace ganglion::sim {
namespace {

constexpr Timestamp kWorldBegins(1'700'000'000'000);
constexpr std::size_t kViolationsKept = 20;

}  // namespace

World::World(WorldOptions options)
    : options_(std::move(options)),
      fate_(options_.seed, timeline_, options_.only),
      trace_(timeline_, options_.sink),
      store_(timeline_, options_.make_store, options_.store),
      network_(timeline_, fate_, options_.weather.network),
      connect_(options_.make_broker ? options_.make_broker() : nullptr) {
  for (std::uint32_t i = 0; i < options_.hosts; ++i) {
    hosts_.push_back(
        std::make_unique<EngineHost>(*this, HostId(i), "engine-" + std::to_string(i + 1), kWorldBegins));
  }
}

World::~World() = default;

void World::begin() {
  for (const auto& host : hosts_) host->start();
}

void World::bury(std::shared_ptr<void> body) {
  buried_.push_back(std::move(body));
  timeline_.after(SimTime(0), [this] { std::exchange(buried_, {}); });
}

void World::violated(std::string promise) {
  trace_.add("checker", "violation", promise);
  if (violations_.size() < kViolationsKept) violations_.push_back(std::move(promise));
}

void World::problem(const std::string& who, const Error& error) {
  trace_.add(who, "problem", error.code);
  saw("problem " + error.code);
}

}  // namespace ganglion::sim

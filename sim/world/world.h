#pragma once

// A world: hosts with engines, a store server, a network, and whoever else a scenario puts into it. One seed,
// one story.
//
//   World world({.seed = 7, .make_store = …, .compile = …, .project = …, .hosts = 2});
//   world.begin();
//   world.timeline().run_until(…);
//
// Single-threaded. Everything in it outlives every callback on its timeline: destroy the world, and the story
// ends where it is.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/kernel/fate.h"
#include "sim/kernel/timeline.h"
#include "sim/kernel/trace.h"
#include "sim/world/audit_server.h"
#include "sim/world/engine_host.h"
#include "sim/world/http_network.h"
#include "sim/world/message_broker.h"
#include "sim/world/service_times.h"
#include "sim/world/store_server.h"
#include "sim/world/weather.h"

namespace ganglion::sim {

using Compile = std::function<Result<std::shared_ptr<const Project>>(const std::string& source)>;

// Makes what performs agents of kinds `process` and `http` inside an engine.
using ExecutorFactory = std::function<std::unique_ptr<agents::Executor>(Clock& clock)>;

struct WorldOptions {
  std::uint64_t seed = 1;
  OnlyEvents only = {};
  StoreFactory make_store;
  bool has_audit = false;          // to which engines copy the journals
  BrokerFactory make_broker = {};  // none: engines don't hear of each other
  StoreServerOptions store = {};
  Compile compile;
  std::shared_ptr<const Project> project;
  std::uint32_t hosts = 1;
  Weather weather = {};
  EngineOptions engine = {};
  ServiceTimes service_times = {};     // of each engine's thread; nothing: its work takes no time
  ExecutorFactory make_executor = {};  // none: such agents fail with `agent_unavailable`
  Trace::Sink sink = {};
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Starts the engines.
  void begin();

  Timeline& timeline() { return timeline_; }
  Fate& fate() { return fate_; }
  Trace& trace() { return trace_; }
  Weather& weather() { return options_.weather; }
  StoreServer& store() { return store_; }
  // Null where there is none.
  AuditServer* audit() { return options_.has_audit ? &audit_ : nullptr; }
  HttpNetwork& network() { return network_; }
  // Whether engines share their work over a broker; then a connection to it.
  bool has_broker() const { return connect_ != nullptr; }
  BusConnection connect(Clock& clock) const { return connect_(clock); }
  std::vector<std::unique_ptr<EngineHost>>& hosts() { return hosts_; }
  const WorldOptions& options() const { return options_; }
  // The file that the next engine is started with.
  void set_project(std::shared_ptr<const Project> project) { options_.project = std::move(project); }

  // Something worth knowing has happened: what a night of worlds should have seen at least once.
  void saw(std::string_view what) { ++sightings_[std::string(what)]; }
  const std::map<std::string, std::uint64_t, std::less<>>& sightings() const { return sightings_; }

  // A promise is broken. The first one ends the story of most scenarios.
  void violated(std::string promise);
  const std::vector<std::string>& violations() const { return violations_; }

  // A failover has lost writes that were acknowledged: what was said before may be contradicted.
  void writes_were_lost() {
    lost_writes_ = true;
    audit_.expect_other_entries();
  }
  bool has_lost_writes() const { return lost_writes_; }

  // What engines complained about, by code.
  void problem(const std::string& who, const Error& error);
  // A process or something of one, destroyed when nothing of it is on the stack any more.
  void bury(std::shared_ptr<void> body);

 private:
  WorldOptions options_;
  Timeline timeline_;
  Fate fate_;
  Trace trace_;
  StoreServer store_;
  AuditServer audit_{[this](std::string promise) { violated(std::move(promise)); }};
  HttpNetwork network_;
  BusFactory connect_;
  std::map<std::string, std::uint64_t, std::less<>> sightings_;
  std::vector<std::string> violations_;
  bool lost_writes_ = false;
  std::vector<std::unique_ptr<EngineHost>> hosts_;
  std::vector<std::shared_ptr<void>> buried_;  // not by the timeline, which outlives what they use
};

}  // namespace ganglion::sim

#pragma once

// A machine on which an engine runs, one process after the other. The engine is the production code, put
// together as the composition root does it, over the ports of this world. A process that dies takes
// everything with it that was not in the store; its supervisor starts another one after a while.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/executor.h"
#include "base/result.h"
#include "engine/engine.h"
#include "sim/world/http_network.h"
#include "sim/world/service_times.h"

namespace ganglion::sim {

class World;

class EngineHost {
 public:
  EngineHost(World& world, HostId id, std::string name, Timestamp wall);
  ~EngineHost();

  // Starts a process if none runs.
  void start();
  // The process ends at this instruction; another one is started after `until`.
  void kill(SimTime until);
  void pause();
  void go_on();
  // Sets the wall clock; processes that live don't notice.
  void set_clock(Duration by) { wall_offset_ = wall_offset_ + by; }
  void cut_from_store();
  void mend_to_store();
  void cut_from_bus();
  void mend_to_bus();

  const std::string& name() const { return name_; }
  HostId id() const { return id_; }
  bool runs() const { return process_ != nullptr; }
  bool paused() const;
  // A process that takes requests.
  bool serves() const;
  std::uint64_t lives() const { return lives_; }
  // Of the process that serves.
  Engine& engine();
  std::size_t pending_timers() const;
  // How long its processes' threads have been busy, where their work costs something.
  WorkTime worked() const;
  // What its clock shows.
  Timestamp now() const;

 private:
  class Process;

  void started(std::uint64_t life, Result<std::size_t> open_runs);

  World& world_;
  const HostId id_;
  const std::string name_;
  Timestamp wall_offset_;  // wall time when the world began
  std::unique_ptr<Process> process_;
  std::uint64_t lives_ = 0;
  WorkTime worked_before_{};  // by processes that have died
  bool cut_ = false;
  bool bus_cut_ = false;
  MomentId restart_;
};

}  // namespace ganglion::sim

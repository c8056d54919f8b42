#pragma once

// One engine: coordinator, agents' pool and API put together over ports, in the order in which they need each
// other. Whoever has the ports (the composition root with real ones, the simulator with its own) makes an
// Engine, starts it, and hands requests to its routes; so there is one way to put an engine together.
//
// Single-threaded: belongs to the clock's event loop. What `Ports` names outlives the engine. Destroying an
// engine at any moment is like the death of its process: nothing is written, nobody is told.

#include <functional>
#include <memory>
#include <string>

#include "agents/executor.h"
#include "audit/copier.h"
#include "base/result.h"
#include "cluster/cluster.h"
#include "coordinator/coordinator.h"
#include "coordinator/sessions.h"
#include "core/topic_event.h"
#include "ingress/api.h"

namespace ganglion {

class Audit;
class Bus;
class Clock;
class Definitions;
class EventRouter;
class Random;
class Schedules;
class Store;
namespace agents {
class Pool;
}
namespace http {
class Router;
}

// Whether this engine hands out tasks, routes events and keeps schedules, or only answers questions and takes
// verbs: what it would dispatch waits in the journal for one that works.
enum class EngineWork { on, off };

struct EngineOptions {
  EngineWork work = EngineWork::on;
  CoordinatorOptions coordinator = {};
  SessionsOptions sessions = {};
  ingress::Options ingress = {};
  cluster::Options cluster = {};    // where there is a bus
  audit::CopierOptions audit = {};  // where there is an audit
  // Told of an event, and of a schedule's slot, that can't start what it should.
  std::function<void(const TopicEvent&, const Error&)> on_event_problem = {};
  std::function<void(const std::string& workflow, const Error&)> on_schedule_problem = {};
};

class Engine {
 public:
  struct Ports {
    Store& store;
    Clock& clock;
    Random& random;
    // From now on the clock is at least this: time never runs backwards between two lives of a store.
    std::function<void(Timestamp)> not_before;
    // Of the project files that the store has.
    std::function<Result<std::shared_ptr<const Project>>(const std::string& source)> compile;
    agents::Executor* process = nullptr;  // null: agents of the kind fail with `agent_unavailable`
    agents::Executor* http = nullptr;
    // Over which it shares the work with other engines over the same store; null: it is the only one, or they
    // don't hear of each other.
    Bus* bus = nullptr;
    // To which the journals are copied; null: nowhere.
    Audit* audit = nullptr;
  };
  template <typename T>
  using Completion = std::move_only_function<void(T)>;

  explicit Engine(Ports ports, EngineOptions options = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Makes `project` the active one (null: the one that the store has), takes up every run that has not ended,
  // and begins to route events and to keep schedules. Once. Gives the number of open runs; an error is a
  // start that has failed. Requests may come as soon as it is answered.
  void start(std::shared_ptr<const Project> project, Completion<Result<std::size_t>> started);

  // Calls `done` when the audit has everything, or after `patience`; at once where there is none. After
  // `start`.
  void finish_audit(Duration patience, std::move_only_function<void()> done);

  // Waiting polls are answered, nothing more is handed out. Final.
  void stop_handing_out();

  http::Router& router() { return *router_; }
  ingress::Api& api() { return *api_; }
  agents::Pool& pool() { return *pool_; }
  Definitions& definitions() { return *definitions_; }
  Coordinator& coordinator() { return *coordinator_; }
  const EventRouter& event_router() const { return *event_router_; }
  const cluster::Cluster* cluster() const { return cluster_.get(); }
  const audit::Copier* copier() const { return copier_.get(); }

 private:
  void assemble();
  TaskQueue& tasks();
  bool coordinates() const { return !cluster_ || options_.cluster.roles.coordinator; }
  void activate(std::shared_ptr<const Project> project, Completion<Result<std::size_t>> started);
  void join(Completion<Result<std::size_t>> started);
  void recover(Completion<Result<std::size_t>> started);
  void route_events(std::size_t open_runs, Completion<Result<std::size_t>> started);

  Ports ports_;
  EngineOptions options_;
  // In the order of use: the last one is destroyed first.
  std::unique_ptr<TaskQueue> no_agents_;
  std::unique_ptr<Definitions> definitions_;
  std::unique_ptr<agents::Pool> pool_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<EventLog> events_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<EventRouter> event_router_;
  std::unique_ptr<Schedules> schedules_;
  std::unique_ptr<audit::Copier> copier_;
  std::unique_ptr<ingress::Api> api_;
  std::unique_ptr<http::Router> router_;
};

}  // namespace ganglion

#include "engine/engine.h"

#include <utility>

#include "agents/pool.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "coordinator/event_router.h"
#include "coordinator/schedules.h"
#include "core/workflow.h"
#include "ingress/http/router.h"

namespace ganglion {
namespace {

class NoAgents final : public TaskQueue {
 public:
  void dispatch(Task) override {}
  void withdraw(const AttemptToken&) override {}
};

}  // namespace

Engine::Engine(Ports ports, EngineOptions options)
    : ports_(std::move(ports)), options_(std::move(options)), no_agents_(std::make_unique<NoAgents>()) {
  assemble();
}

Engine::~Engine() = default;

void Engine::assemble() {
  Store& store = ports_.store;
  Clock& clock = ports_.clock;
  definitions_ = std::make_unique<Definitions>(store, ports_.compile);
  auto resolve = [this](const std::string& definition, const std::string& agent) {
    const auto project = definition.empty() ? definitions_->active() : definitions_->find(definition);
    const auto found = project ? project->agents.find(agent) : decltype(project->agents.end()){};
    if (!project || found == project->agents.end()) return std::shared_ptr<const AgentDefinition>();
    return std::shared_ptr<const AgentDefinition>(project, &found->second);
  };
  pool_ = std::make_unique<agents::Pool>(
      clock, resolve, agents::Pool::Executors{.process = ports_.process, .http = ports_.http});
  if (ports_.bus != nullptr) {
    cluster_ = std::make_unique<cluster::Cluster>(
        cluster::Cluster::Ports{*ports_.bus, store, clock, ports_.random, *definitions_, *pool_},
        options_.cluster);
  }
  sessions_ = std::make_unique<Sessions>(store, clock, options_.sessions);
  events_ = std::make_unique<EventLog>(store, clock);
  coordinator_ = std::make_unique<Coordinator>(Coordinator::Dependencies{.store = store,
                                                                         .clock = clock,
                                                                         .random = ports_.random,
                                                                         .tasks = tasks(),
                                                                         .definitions = *definitions_,
                                                                         .sessions = *sessions_,
                                                                         .events = *events_},
                                               options_.coordinator);
  pool_->connect(cluster_ ? cluster_->reports() : *coordinator_);
  event_router_ = std::make_unique<EventRouter>(store, clock, *events_, *coordinator_, *definitions_,
                                                options_.on_event_problem);
  if (cluster_) cluster_->connect(*coordinator_, *events_, *event_router_);
  schedules_ =
      std::make_unique<Schedules>(store, clock, *coordinator_, *definitions_, options_.on_schedule_problem);
  if (ports_.audit != nullptr)
    copier_ = std::make_unique<audit::Copier>(store, *ports_.audit, clock, options_.audit);
  api_ = std::make_unique<ingress::Api>(
      ingress::Dependencies{.clock = clock,
                            .store = store,
                            .coordinator = *coordinator_,
                            .definitions = *definitions_,
                            .pool = *pool_,
                            .sessions = *sessions_,
                            .events = *events_,
                            .random = ports_.random,
                            .heartbeats = cluster_ ? &cluster_->heartbeats() : nullptr},
      options_.ingress);
  router_ = std::make_unique<http::Router>();
  api_->register_routes(*router_);
}

TaskQueue& Engine::tasks() {
  if (cluster_) return cluster_->tasks();
  return options_.work == EngineWork::on ? static_cast<TaskQueue&>(*pool_) : *no_agents_;
}

void Engine::start(std::shared_ptr<const Project> project, Completion<Result<std::size_t>> started) {
  ports_.store.last_time(
      [this, project = std::move(project), started = std::move(started)](Result<Timestamp> last) mutable {
        if (!last) return started(std::unexpected(last.error()));
        ports_.not_before(*last);
        if (copier_) copier_->start();
        definitions_->restore([this, project = std::move(project),
                               started = std::move(started)](Result<void> restored) mutable {
          // A stored project that this version can't read matters only where nothing replaces it.
          if (!restored && !project) return started(std::unexpected(restored.error()));
          activate(std::move(project), std::move(started));
        });
      });
}

void Engine::activate(std::shared_ptr<const Project> project, Completion<Result<std::size_t>> started) {
  const auto active = definitions_->active();
  if (!project || (active && active->digest == project->digest)) return join(std::move(started));
  definitions_->activate(std::move(project),
                         [this, started = std::move(started)](Result<void> activated) mutable {
                           if (!activated) return started(std::unexpected(activated.error()));
                           join(std::move(started));
                         });
}

void Engine::join(Completion<Result<std::size_t>> started) {
  if (!cluster_) return recover(std::move(started));
  cluster_->join([this, started = std::move(started)](Result<void> joined) mutable {
    if (!joined) return started(std::unexpected(joined.error()));
    recover(std::move(started));
  });
}

void Engine::recover(Completion<Result<std::size_t>> started) {
  events_->open([this, started = std::move(started)](Result<void> opened) mutable {
    if (!opened) return started(std::unexpected(opened.error()));
    if (!coordinates()) {
      cluster_->open();
      return started(0);
    }
    coordinator_->recover([this, started = std::move(started)](Result<std::size_t> open_runs) mutable {
      if (!open_runs || options_.work == EngineWork::off) return started(std::move(open_runs));
      if (cluster_) cluster_->open();
      route_events(*open_runs, std::move(started));
    });
  });
}

void Engine::route_events(std::size_t open_runs, Completion<Result<std::size_t>> started) {
  sessions_->start();
  event_router_->start([this, open_runs, started = std::move(started)](Result<void> routing) mutable {
    if (!routing) return started(std::unexpected(routing.error()));
    schedules_->start();
    started(open_runs);
  });
}

void Engine::finish_audit(Duration patience, std::move_only_function<void()> done) {
  if (!copier_) return done();
  copier_->finish(patience, std::move(done));
}

void Engine::stop_handing_out() {
  api_->set_readiness(ingress::Api::Readiness::draining);
  if (cluster_) cluster_->leave();
  pool_->stop();
}

}  // namespace ganglion

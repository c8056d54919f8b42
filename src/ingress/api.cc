#include "ingress/api.h"

#include <utility>

#include "ingress/http/router.h"
#include "ingress/journal_api.h"
#include "ingress/later_api.h"
#include "ingress/project_api.h"
#include "ingress/runs_api.h"
#include "ingress/system_api.h"
#include "ingress/tasks_api.h"

namespace ganglion::ingress {

struct Api::Parts {
  Parts(const Dependencies& dependencies, const Options& options)
      : runs(dependencies, options),
        journal(dependencies),
        tasks(dependencies, options),
        project(dependencies),
        system(dependencies) {}

  RunsApi runs;
  JournalApi journal;
  TasksApi tasks;
  ProjectApi project;
  SystemApi system;
};

Api::Api(Dependencies dependencies, Options options)
    : parts_(std::make_unique<Parts>(dependencies, options)) {}
Api::~Api() = default;

void Api::register_routes(http::Router& router) {
  parts_->runs.register_routes(router);
  parts_->journal.register_routes(router);
  parts_->tasks.register_routes(router);
  parts_->project.register_routes(router);
  parts_->system.register_routes(router);
  register_later_routes(router);
}

void Api::set_readiness(Readiness readiness) {
  parts_->system.set_readiness(readiness);
}
void Api::watch(const http::Server& server) {
  parts_->system.watch(server);
}
void Api::add_metrics(MetricSource source) {
  parts_->system.add_metrics(std::move(source));
}

}  // namespace ganglion::ingress

#include "ingress/api.h"

#include <utility>

#include "ingress/approvals_api.h"
#include "ingress/blobs_api.h"
#include "ingress/dead_letters_api.h"
#include "ingress/events_api.h"
#include "ingress/http/router.h"
#include "ingress/journal_api.h"
#include "ingress/later_api.h"
#include "ingress/project_api.h"
#include "ingress/run_verbs_api.h"
#include "ingress/runs_api.h"
#include "ingress/session_api.h"
#include "ingress/state_api.h"
#include "ingress/system_api.h"
#include "ingress/tasks_api.h"
#include "ingress/tax_api.h"

namespace ganglion::ingress {

struct Api::Parts {
  Parts(const Dependencies& dependencies, const Options& options)
      : runs(dependencies, options),
        journal(dependencies),
        tasks(dependencies, options),
        project(dependencies),
        system(dependencies),
        approvals(dependencies),
        blobs(dependencies),
        dead_letters(dependencies),
        events(dependencies),
        run_verbs(dependencies),
        session(dependencies),
        state(dependencies),
        tax(dependencies) {}

  RunsApi runs;
  JournalApi journal;
  TasksApi tasks;
  ProjectApi project;
  SystemApi system;
  ApprovalsApi approvals;
  BlobsApi blobs;
  DeadLettersApi dead_letters;
  EventsApi events;
  RunVerbsApi run_verbs;
  SessionApi session;
  StateApi state;
  TaxApi tax;
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
  parts_->approvals.register_routes(router);
  parts_->blobs.register_routes(router);
  parts_->dead_letters.register_routes(router);
  parts_->events.register_routes(router);
  parts_->run_verbs.register_routes(router);
  parts_->session.register_routes(router);
  parts_->state.register_routes(router);
  parts_->tax.register_routes(router);
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

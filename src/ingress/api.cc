#include "ingress/api.h"

#include <utility>

#include "ingress/approvals_api.h"
#include "ingress/blobs_api.h"
#include "ingress/dead_letters_api.h"
#include "ingress/events_api.h"
#include "ingress/http/exchange.h"
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

namespace {

// Those of a role that this process doesn't have are there to say so.
void add_routes(http::Router& router, const http::Router& routes, const char* missing_role) {
  for (const http::Route* route : routes.routes()) {
    http::Handler handler = route->handler;
    if (missing_role != nullptr) {
      handler = [missing_role](const http::Request&, http::Responder responder) {
        const std::string role(missing_role);
        responder.fail({.status = 421,
                        .code = "misdirected",
                        .detail = "this process doesn't have the role `" + role +
                                  "`; ask one that was started with --roles " + role});
      };
    }
    router.add(route->method, route->pattern, std::move(handler), route->access, route->body_limit);
  }
}

}  // namespace

struct Api::Parts {
  Parts(const Dependencies& dependencies, const Options& options)
      : runs(dependencies, options),
        journal(dependencies),
        tasks(dependencies, options),
        project(dependencies),
        system(dependencies, options),
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
    : roles_(options.roles), parts_(std::make_unique<Parts>(dependencies, options)) {}
Api::~Api() = default;

void Api::register_routes(http::Router& router) {
  http::Router clients;
  parts_->runs.register_routes(clients);
  parts_->journal.register_routes(clients);
  parts_->project.register_routes(clients);
  parts_->approvals.register_routes(clients);
  parts_->dead_letters.register_routes(clients);
  parts_->events.register_routes(clients);
  parts_->run_verbs.register_routes(clients);
  parts_->session.register_routes(clients);
  parts_->state.register_routes(clients);
  parts_->tax.register_routes(clients);
  register_later_routes(clients);
  http::Router workers;
  parts_->tasks.register_routes(workers);
  add_routes(router, clients, roles_.ingress ? nullptr : "ingress");
  add_routes(router, workers, roles_.agents ? nullptr : "agents");
  // Of use to both.
  parts_->blobs.register_routes(router);
  parts_->system.register_routes(router);
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

#include "ingress/tax_api.h"

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/coordinator.h"
#include "coordinator/definitions.h"
#include "core/tax.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::uint32_t kPage = 500;  // entries a read

struct Assessment {
  Dependencies dependencies;
  RunId run;
  http::Responder responder;
  std::shared_ptr<const Project> project = {};
  std::string workflow = {};
  std::vector<JournalEntry> journal = {};

  static void begin(const std::shared_ptr<Assessment>& self) {
    self->dependencies.coordinator.inspect(self->run, [self](Result<const Run*> run) {
      if (!run) return self->responder.fail(problem_of(run.error()));
      self->workflow = (*run)->workflow().name;
      self->dependencies.definitions.load((*run)->project().digest,
                                          [self](Result<std::shared_ptr<const Project>> project) {
                                            if (!project)
                                              return self->responder.fail(problem_of(project.error()));
                                            self->project = *std::move(project);
                                            read(self);
                                          });
    });
  }

  static void read(const std::shared_ptr<Assessment>& self) {
    if (!self->responder.open()) return;
    const std::uint64_t after = self->journal.empty() ? 0 : self->journal.back().seq;
    self->dependencies.store.read_journal(self->run, after, kPage,
                                          [self](Result<std::vector<JournalEntry>> page) {
                                            if (!page) return self->responder.fail(problem_of(page.error()));
                                            const bool more = page->size() == kPage;
                                            std::ranges::move(*page, std::back_inserter(self->journal));
                                            if (more) return read(self);
                                            self->answer();
                                          });
  }

  void answer() {
    const auto tax = tax_of(journal, project->workflows.at(workflow));
    if (!tax) return responder.fail(problem_of(tax.error()));
    responder.respond(http::Response::json(200, tax_json(*tax)));
  }
};

}  // namespace

void TaxApi::register_routes(http::Router& router) {
  router.add(http::Method::get, "/v1/runs/{id}/tax",
             [this](const http::Request& request, http::Responder responder) {
               show(request, std::move(responder));
             });
}

void TaxApi::show(const http::Request& request, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  Assessment::begin(std::make_shared<Assessment>(dependencies_, *run, std::move(responder)));
}

}  // namespace ganglion::ingress

#include "ingress/session_api.h"

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/json_text.h"
#include "coordinator/sessions.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::uint32_t kPage = 200;  // runs a read

// Goes through the index of the session's runs, page by page, as long as somebody wants to know.
struct Summary {
  Dependencies dependencies;
  std::string session;
  http::Responder responder;
  std::uint64_t state_version = 0;
  std::int64_t runs = 0;
  std::int64_t open_runs = 0;
  std::map<std::string, double> usage;

  static void begin(std::shared_ptr<Summary> self) {
    Sessions& sessions = self->dependencies.sessions;
    sessions.load(self->session, [self](Result<Sessions::Snapshot> snapshot) {
      if (!snapshot) return self->responder.fail(problem_of(snapshot.error()));
      self->state_version = (*snapshot)->version;
      read(self, std::nullopt);
    });
  }

  static void read(const std::shared_ptr<Summary>& self, std::optional<RunId> before) {
    if (!self->responder.open()) return;
    RunQuery query;
    query.session_id = self->session;
    query.before = before;
    query.limit = kPage;
    self->dependencies.store.list_runs(query, [self](Result<std::vector<RunRecord>> page) {
      if (!page) return self->responder.fail(problem_of(page.error()));
      for (const RunRecord& run : *page) self->count(run);
      if (page->size() == kPage) return read(self, page->back().id);
      self->answer();
    });
  }

  void count(const RunRecord& run) {
    ++runs;
    if (!run.ended_at) ++open_runs;
    if (run.parent) return;  // what a sub-run uses, its parent counts
    boost::system::error_code error;
    const boost::json::value amounts = boost::json::parse(run.usage, error);
    if (error || !amounts.is_object()) return;
    for (const auto& [name, amount] : amounts.as_object()) {
      if (amount.is_number()) usage[name] += amount.to_number<double>();
    }
  }

  void answer() {
    if (runs == 0 && state_version == 0) {
      return responder.fail(not_found("no run and no state has this session id"));
    }
    JsonObject sums;
    for (const auto& [name, amount] : usage) sums.add_number(name, amount);
    JsonObject object;
    object.add("session_id", session).add("state_version", static_cast<std::int64_t>(state_version));
    object.add("runs", runs).add("open_runs", open_runs).add_raw("usage", sums.finish());
    responder.respond(http::Response::json(200, object.finish()));
  }
};

}  // namespace

void SessionApi::register_routes(http::Router& router) {
  router.add(http::Method::get, "/v1/sessions/{id}",
             [this](const http::Request& request, http::Responder responder) {
               show(request, std::move(responder));
             });
}

void SessionApi::show(const http::Request& request, http::Responder responder) {
  Summary::begin(std::make_shared<Summary>(dependencies_, request.parameters[0], std::move(responder)));
}

}  // namespace ganglion::ingress

#include "ingress/runs_api.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "core/blob_references.h"
#include "ingress/blob_check.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/page.h"
#include "ingress/problems.h"
#include "ingress/query.h"
#include "ingress/run_answer.h"
#include "ingress/run_request.h"
#include "ingress/run_wait.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::size_t kMaxReason = 1000;
constexpr std::string_view kStatuses[] = {"running", "waiting", "paused", "completed", "failed", "cancelled"};

std::string record_json(const RunRecord& record) {
  JsonObject object;
  object.add("id", record.id.text()).add("workflow", record.workflow).add("definition", record.definition);
  object.add("status", record.status);
  if (record.session_id) {
    object.add("session_id", *record.session_id);
  } else {
    object.add_raw("session_id", "null");
  }
  JsonObject labels;
  for (const auto& [name, value] : record.labels) labels.add(name, value);
  if (record.parent) {
    object.add_raw("parent", JsonObject().add("run_id", record.parent->text()).finish());
  } else {
    object.add_raw("parent", "null");
  }
  object.add_raw("labels", labels.finish()).add("created_at", format_rfc3339(record.created_at));
  if (record.ended_at) {
    object.add("ended_at", format_rfc3339(*record.ended_at));
  } else {
    object.add_raw("ended_at", "null");
  }
  return object.finish();
}

std::optional<http::Problem> read_filter(const http::Target& target, RunQuery& query) {
  const auto text = [&](const char* name) {
    const auto value = target.parameter(name);
    return value ? std::optional<std::string>(*value) : std::nullopt;
  };
  query.workflow = text("workflow");
  query.status = text("status");
  query.session_id = text("session_id");
  if (query.status && std::ranges::find(kStatuses, *query.status) == std::end(kStatuses)) {
    return invalid_parameter("status", "must be running, waiting, paused, completed, failed or cancelled");
  }
  if (const auto parent = text("parent")) {
    query.parent = RunId::parse(*parent);
    if (!query.parent) return invalid_parameter("parent", "must be the id of a run");
  }
  for (const auto& [name, value] : target.query) {
    if (name != "label") continue;
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || !is_label_name(value.substr(0, equals))) {
      return invalid_parameter("label", "must be name=value");
    }
    query.labels.insert_or_assign(value.substr(0, equals), value.substr(equals + 1));
  }
  if (const auto cursor = target.parameter("cursor"); cursor && !cursor->empty()) {
    query.before = RunId::parse(*cursor);
    if (!query.before) return invalid_parameter("cursor", "is not one that this server gave out");
  }
  return std::nullopt;
}

}  // namespace

void RunsApi::register_routes(http::Router& router) {
  using http::Request;
  using http::Responder;
  router.add(http::Method::post, "/v1/runs", [this](Request request, Responder responder) {
    start(std::move(request), std::move(responder));
  });
  router.add(http::Method::get, "/v1/runs",
             [this](const Request& request, Responder responder) { list(request, std::move(responder)); });
  router.add(http::Method::get, "/v1/runs/{id}",
             [this](const Request& request, Responder responder) { show(request, std::move(responder)); });
  router.add(http::Method::post, "/v1/runs/{id}/cancel",
             [this](const Request& request, Responder responder) { cancel(request, std::move(responder)); });
  router.add(http::Method::post, "/v1/runs/{id}/pause", [this](const Request& request, Responder responder) {
    submit(request, Pause{}, std::move(responder));
  });
  router.add(http::Method::post, "/v1/runs/{id}/resume", [this](const Request& request, Responder responder) {
    submit(request, Resume{}, std::move(responder));
  });
  router.add(http::Method::post, "/v1/runs/{id}/retry", [this](const Request& request, Responder responder) {
    submit(request, Retry{}, std::move(responder));
  });
}

void RunsApi::start(http::Request request, http::Responder responder) {
  const auto wait = wait_of(query_of(request.target()), options_.max_wait);
  if (!wait) return responder.fail(wait.error());
  const auto project = dependencies_.definitions.active();
  auto start = read_start_request(request, project.get());
  if (!start) return responder.fail(start.error());
  auto started = [this, wait = *wait, responder = std::move(responder)](Result<StartedRun> run) mutable {
    if (!run) return responder.fail(blob_problem(run.error(), "/input"));
    const int status = run->existed ? 200 : 201;
    if (wait) return RunWait::begin(dependencies_, run->id, status, *wait, std::move(responder));
    answer_with_run(dependencies_, run->id, status, std::move(responder));
  };
  std::vector<std::string> blobs;
  find_blob_references(start->input.bytes(), blobs);
  if (blobs.empty()) return dependencies_.coordinator.start_run(*std::move(start), std::move(started));
  auto checked = [this, start = *std::move(start), started = std::move(started)](Result<void> there) mutable {
    if (there) return dependencies_.coordinator.start_run(std::move(start), std::move(started));
    started(std::unexpected(there.error()));
  };
  check_blobs(dependencies_.store, std::move(blobs), std::move(checked));
}

void RunsApi::show(const http::Request& request, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  const auto wait = wait_of(query_of(request.target()), options_.max_wait);
  if (!wait) return responder.fail(wait.error());
  if (!*wait) return answer_with_run(dependencies_, *run, 200, std::move(responder));
  RunWait::begin(dependencies_, *run, 200, **wait, std::move(responder));
}

void RunsApi::list(const http::Request& request, http::Responder responder) {
  const http::Target target = query_of(request.target());
  const auto limit = limit_of(target);
  if (!limit) return responder.fail(limit.error());
  RunQuery query;
  if (const auto problem = read_filter(target, query)) return responder.fail(*problem);
  // One more than asked for tells whether there is a next page.
  query.limit = *limit + 1;
  auto listed = [limit = *limit,
                 responder = std::move(responder)](Result<std::vector<RunRecord>> runs) mutable {
    if (!runs) return responder.fail(problem_of(runs.error()));
    const bool more = runs->size() > limit;
    if (more) runs->resize(limit);
    Page page;
    for (const RunRecord& record : *runs) page.add(record_json(record));
    std::optional<std::string> next;
    if (more) next = runs->back().id.text();
    responder.respond(std::move(page).answer(next));
  };
  dependencies_.store.list_runs(std::move(query), std::move(listed));
}

void RunsApi::submit(const http::Request& request, Input input, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  auto done = [this, run = *run, responder = std::move(responder)](Result<void> result) mutable {
    if (!result) return responder.fail(problem_of(result.error()));
    answer_with_run(dependencies_, run, 200, std::move(responder));
  };
  dependencies_.coordinator.submit(*run, std::move(input), std::move(done));
}

void RunsApi::cancel(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request, EmptyBody::allowed);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  std::string reason = body.text("reason", Need::optional, kMaxReason).value_or("cancelled by request");
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  submit(request, Cancel{std::move(reason)}, std::move(responder));
}

}  // namespace ganglion::ingress

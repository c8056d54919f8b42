#include "ingress/run_verbs_api.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "coordinator/coordinator.h"
#include "core/blob_references.h"
#include "ingress/blob_check.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ingress/run_answer.h"
#include "ingress/run_request.h"
#include "ports/random.h"

namespace ganglion::ingress {
namespace {

constexpr std::size_t kMaxSignalName = 255;

std::string random_id(Random& random) {
  return RunId::make(Timestamp(), static_cast<std::uint16_t>(random.next()), random.next()).text();
}

}  // namespace

struct RunVerbsApi::Fork {
  RunId run;
  std::string step;
  std::optional<Payload> input;
  http::Responder responder;
};

void RunVerbsApi::register_routes(http::Router& router) {
  router.add(http::Method::post, "/v1/runs/{id}/signals/{name}",
             [this](const http::Request& request, http::Responder responder) {
               signal(request, std::move(responder));
             });
  router.add(http::Method::post, "/v1/runs/{id}/fork",
             [this](const http::Request& request, http::Responder responder) {
               fork(request, std::move(responder));
             });
}

void RunVerbsApi::signal(const http::Request& request, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  const std::string& name = request.parameters[1];
  if (name.size() > kMaxSignalName || has_control_character(name)) {
    return responder.fail(invalid_parameter("name", "must be 1 to 255 bytes without control characters"));
  }
  const auto key = idempotency_key_of(request);
  if (!key) return responder.fail(key.error());
  Signal signal{.id = *key ? **key : random_id(dependencies_.random), .name = name, .data = {}};
  std::vector<std::string> blobs;
  if (!request.body.empty()) {
    const auto data = json_body(request);
    if (!data) return responder.fail(data.error());
    if (data->size() > kMaxPayload)
      return responder.fail(payload_too_large("the signal's data", data->size()));
    signal.data = Payload(std::string(*data));
    find_blob_references(*data, blobs);
  }
  auto checked = [this, run = *run, signal = std::move(signal),
                  responder = std::move(responder)](Result<void> there) mutable {
    if (!there) return responder.fail(blob_problem(there.error(), ""));
    auto done = [this, run, responder = std::move(responder)](Result<void> result) mutable {
      if (!result) return responder.fail(problem_of(result.error()));
      answer_with_run(dependencies_, run, 200, std::move(responder));
    };
    dependencies_.coordinator.submit(run, std::move(signal), std::move(done));
  };
  check_blobs(dependencies_.store, std::move(blobs), std::move(checked));
}

void RunVerbsApi::fork(const http::Request& request, http::Responder responder) {
  const auto run = RunId::parse(request.parameters[0]);
  if (!run) return responder.fail(not_found("there is no run with this id"));
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  std::string step = body.text("from_step", Need::required, 255).value_or("");
  std::optional<Payload> input;
  if (const auto given = body.raw("input")) input = Payload(std::string(*given));
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));

  auto fork = std::make_shared<Fork>(*run, std::move(step), std::move(input), std::move(responder));
  if (!fork->input) return begin(*fork);
  // The other input is held against the workflow as the run knows it.
  dependencies_.coordinator.inspect(fork->run, [this, fork](Result<const Run*> found) {
    if (!found) return fork->responder.fail(problem_of(found.error()));
    if (const auto problem = check_input((*found)->workflow(), *fork->input))
      return fork->responder.fail(*problem);
    std::vector<std::string> blobs;
    find_blob_references(fork->input->bytes(), blobs);
    check_blobs(dependencies_.store, std::move(blobs), [this, fork](Result<void> there) {
      if (!there) return fork->responder.fail(blob_problem(there.error(), "/input"));
      begin(*fork);
    });
  });
}

void RunVerbsApi::begin(Fork& fork) {
  auto forked = [this, responder = std::move(fork.responder)](Result<RunId> id) mutable {
    if (!id) return responder.fail(problem_of(id.error()));
    answer_with_run(dependencies_, *id, 201, std::move(responder));
  };
  dependencies_.coordinator.fork_run(fork.run, std::move(fork.step), std::move(fork.input),
                                     std::move(forked));
}

}  // namespace ganglion::ingress

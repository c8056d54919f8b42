#include "ingress/approvals_api.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json_text.h"
#include "coordinator/coordinator.h"
#include "core/blob_references.h"
#include "ingress/blob_check.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ingress/record_json.h"
#include "ingress/record_list.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::string_view kMembers[] = {"kind", "run_id", "workflow", "step",         "item",      "agent",
                                         "by",   "show",   "digest",   "requested_at", "expires_at"};

std::string approval_json(const Record& record) {
  JsonObject object;
  object.add("id", record.id);
  add_members(object, RecordData(record), kMembers);
  return object.finish();
}

struct Deciding {
  Dependencies dependencies;
  std::string id;
  Answer answer;
  http::Responder responder;

  // What a person is asked, if this is what the task waits for now.
  const ForPerson* asked(const Run& run) const {
    const TaskRecord* task = run.find_task(answer.token.step, answer.token.item);
    if (task == nullptr || task->attempt != answer.token.attempt) return nullptr;
    const auto* awaiting = std::get_if<TaskAwaiting>(&task->state);
    return awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
  }

  // Whether a person was ever asked with this id; what has been decided since is a conflict, not unknown.
  bool exists(const Run& run) const {
    const AttemptToken& token = answer.token;
    if (token.step.value() >= run.steps().size()) return false;
    const StepAction& action = run.definition(token.step).action;
    if (!std::holds_alternative<Approval>(action) && !std::holds_alternative<AgentCall>(action)) return false;
    // A step that has ended keeps no tasks.
    const TaskRecord* task = run.find_task(token.step, token.item);
    if (task == nullptr) return run.step(token.step).ended_at.has_value();
    return token.attempt > Attempt(0) && token.attempt <= task->attempt;
  }

  std::optional<http::Problem> refuse(const Run& run) const {
    if (!exists(run)) return not_found("there is no approval with this id");
    const ForPerson* person = asked(run);
    if (person == nullptr || !answer.output) return std::nullopt;
    if (person->agent.empty()) return invalid({{"/output", "is only for tasks of human agents"}});
    return std::nullopt;
  }

  static void submit(const std::shared_ptr<Deciding>& self) {
    auto done = [self](Result<void> decided) {
      if (!decided) return self->responder.fail(problem_of(decided.error()));
      JsonObject object;
      object.add("id", self->id).add("decision", self->answer.approved ? "approve" : "reject");
      if (self->answer.by.empty()) {
        object.add_raw("by", "null");
      } else {
        object.add("by", self->answer.by);
      }
      object.add("run_id", self->answer.token.run.text());
      self->responder.respond(http::Response::json(200, object.finish()));
    };
    self->dependencies.coordinator.submit(self->answer.token.run, self->answer, std::move(done));
  }
};

// A text that may be empty, as a form sends it.
std::string optional_text(ObjectReader& body, std::string_view name, std::size_t longest) {
  if (body.raw(name) == "\"\"") return {};
  return body.text(name, Need::optional, longest).value_or("");
}

}  // namespace

void ApprovalsApi::register_routes(http::Router& router) {
  router.add(http::Method::get, "/v1/approvals",
             [this](const http::Request& request, http::Responder responder) {
               list(request, std::move(responder));
             });
  router.add(http::Method::post, "/v1/approvals/{id}",
             [this](const http::Request& request, http::Responder responder) {
               decide(request, std::move(responder));
             });
}

void ApprovalsApi::list(const http::Request& request, http::Responder responder) {
  answer_with_records(
      dependencies_, RecordKind::approval, request,
      [](const Record& record) { return approval_json(record); }, std::move(responder));
}

void ApprovalsApi::decide(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  Answer answer;
  const std::string decision = body.text("decision", Need::required, 16).value_or("approve");
  if (decision != "approve" && decision != "reject") body.error("decision", "must be approve or reject");
  answer.approved = decision == "approve";
  answer.digest = body.text("digest", Need::required, 64).value_or("");
  answer.comment = optional_text(body, "comment", kMaxComment);
  answer.by = optional_text(body, "by", kMaxName);
  if (const auto output = body.raw("output")) answer.output = Payload(std::string(*output));
  if (answer.output && !answer.approved) body.error("output", "is not for a rejection");
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  if (answer.output && answer.output->size() > kMaxPayload) {
    return responder.fail(payload_too_large("the output", answer.output->size()));
  }
  const auto token = AttemptToken::parse_path(request.parameters[0]);
  if (!token) return responder.fail(not_found("there is no approval with this id"));
  answer.token = *token;

  auto deciding = std::make_shared<Deciding>(dependencies_, request.parameters[0], std::move(answer),
                                             std::move(responder));
  dependencies_.coordinator.inspect(token->run, [deciding](Result<const Run*> run) {
    if (!run && run.error().code == "not_found") {
      return deciding->responder.fail(not_found("there is no approval with this id"));
    }
    if (!run) return deciding->responder.fail(problem_of(run.error()));
    if (const auto problem = deciding->refuse(**run)) return deciding->responder.fail(*problem);
    std::vector<std::string> blobs;
    if (deciding->answer.output) find_blob_references(deciding->answer.output->bytes(), blobs);
    check_blobs(deciding->dependencies.store, std::move(blobs), [deciding](Result<void> there) {
      if (!there) return deciding->responder.fail(blob_problem(there.error(), "/output"));
      Deciding::submit(deciding);
    });
  });
}

}  // namespace ganglion::ingress

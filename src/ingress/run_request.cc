#include "ingress/run_request.h"

#include <algorithm>
#include <vector>

#include "base/json_text.h"
#include "base/sha256.h"
#include "core/workflow.h"
#include "ingress/body.h"
#include "ingress/problems.h"
#include "ports/commit_check.h"
#include "project/suggestion.h"
#include "project/triggers.h"

namespace ganglion::ingress {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void read_labels(ObjectReader& body, StartRequest& start) {
  const auto labels = body.object("labels", Need::optional);
  if (!labels) return;
  JsonMembers members(*labels);
  while (const auto member = members.next()) {
    const auto name = read_json_string("\"" + std::string(member->name) + "\"");
    const auto value = member->value.starts_with('"') ? read_json_string(member->value) : fail("", "");
    if (!name || !is_label_name(*name)) {
      return body.error(
          "labels", "names have 1 to 63 letters, digits, '.', '_', '/' or '-', the first a letter or digit");
    }
    if (!value || value->size() > kMaxLabelValue || has_control_character(*value)) {
      return body.error("labels", "the value of " + *name + " must be a string of at most 255 bytes");
    }
    start.labels.emplace(*name, *value);
  }
  if (start.labels.size() > kMaxLabels)
    body.error("labels", "there may be at most " + std::to_string(kMaxLabels));
}

http::Problem unknown_workflow(const std::string& name, const Project* project) {
  http::Problem problem{.status = 404, .code = "unknown_workflow", .detail = {}};
  if (project == nullptr) {
    problem.detail = "there is no project yet: PUT /v1/project";
    return problem;
  }
  std::vector<std::string> known;
  for (const auto& [workflow, definition] : project->workflows) {
    if (!project::is_reaction(workflow)) known.push_back(workflow);
  }
  problem.detail = "no workflow \"" + name + "\"" + project::did_you_mean(name, known);
  return problem;
}

}  // namespace

std::optional<http::Problem> check_input(const WorkflowDefinition& workflow, const Payload& input) {
  if (input.size() > kMaxPayload) {
    return payload_too_large("the input", input.size());
  }
  if (!workflow.input) return std::nullopt;
  const auto violations = workflow.input->validate_json(input.bytes());
  if (!violations) return invalid({{"/input", violations.error().message}});
  if (violations->empty()) return std::nullopt;
  std::vector<http::FieldError> errors;
  for (const schema::Violation& violation : *violations)
    errors.push_back({"/input" + violation.path, violation.message});
  return invalid(std::move(errors));
}

std::expected<std::optional<std::string>, http::Problem> idempotency_key_of(const http::Request& request) {
  const auto key = request.header("idempotency-key");
  if (!key) return std::nullopt;
  const bool visible = std::ranges::all_of(*key, [](char c) { return c > ' ' && c < '\x7f'; });
  if (key->empty() || key->size() > kMaxIdempotencyKey || !visible) {
    return std::unexpected(invalid_parameter("Idempotency-Key", "must be 1 to 255 visible ASCII characters"));
  }
  return std::string(*key);
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

bool is_label_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxLabelName || !is_alphanumeric(name.front())) return false;
  return std::ranges::all_of(name, [](char c) {
    return is_alphanumeric(c) || std::string_view("._/-").find(c) != std::string_view::npos;
  });
}

std::string usable_traceparent(const http::Request& request) {
  // https://www.w3.org/TR/trace-context/, version 00: 00-<32 hex>-<16 hex>-<2 hex>, the ids not all zero.
  const std::string_view text = request.header("traceparent").value_or("");
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return {};
  const auto is_hex = [](char c) { return kHexDigits.find(c) != std::string_view::npos; };
  const auto is_zero = [](char c) { return c == '0'; };
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  if (!std::ranges::all_of(trace, is_hex) || !std::ranges::all_of(parent, is_hex)) return {};
  if (!std::ranges::all_of(text.substr(53), is_hex)) return {};
  if (std::ranges::all_of(trace, is_zero) || std::ranges::all_of(parent, is_zero)) return {};
  return std::string(text);
}

std::expected<StartRequest, http::Problem> read_start_request(const http::Request& request,
                                                              const Project* project) {
  const auto json = json_body(request);
  if (!json) return std::unexpected(json.error());

  StartRequest start;
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  start.workflow = body.text("workflow", Need::required, 255).value_or("");
  start.input = Payload(std::string(body.raw("input").value_or("{}")));
  start.session_id = body.text("session_id", Need::optional, kMaxSessionId);
  if (start.session_id && has_control_character(*start.session_id)) {
    body.error("session_id", "must not have control characters");
  }
  start.priority =
      static_cast<std::int32_t>(body.integer("priority", -kMaxPriority, kMaxPriority).value_or(0));
  read_labels(body, start);
  body.finish();
  if (!errors.empty()) return std::unexpected(invalid(std::move(errors)));
  const auto key = idempotency_key_of(request);
  if (!key) return std::unexpected(key.error());
  if (*key) start.claim = IdempotencyClaim{**key, sha256_hex(request.body)};

  const auto workflow =
      project ? project->workflows.find(start.workflow) : decltype(project->workflows.end()){};
  if (project == nullptr || workflow == project->workflows.end() || project::is_reaction(start.workflow)) {
    return std::unexpected(unknown_workflow(start.workflow, project));
  }
  if (auto problem = check_input(workflow->second, start.input)) return std::unexpected(*std::move(problem));
  start.traceparent = usable_traceparent(request);
  return start;
}

}  // namespace ganglion::ingress

#include "ingress/task_requests.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "core/workflow.h"
#include "ingress/http/utf8.h"

namespace ganglion::ingress {
namespace {

// At most kMaxErrorMessage bytes, cut between characters.
std::string shortened(std::string text) {
  if (text.size() <= kMaxErrorMessage) return text;
  std::size_t end = 0;
  while (true) {
    const std::size_t next = end + http::utf8_sequence(text, end);
    if (next > kMaxErrorMessage || next == end) break;
    end = next;
  }
  text.resize(end);
  return text + "…";
}

std::string any_text(std::string_view json, std::string otherwise) {
  auto text = json.starts_with('"') ? read_json_string(json) : fail("", "");
  return text && !text->empty() ? *std::move(text) : std::move(otherwise);
}

TaskFailure read_failure(std::string_view json, const std::string& path,
                         std::vector<http::FieldError>& errors) {
  ObjectReader error(json, pointer_to(path, "error"), errors);
  TaskFailure failure;
  failure.code = error.text("code", Need::required, kMaxErrorCode).value_or("");
  failure.message = shortened(any_text(error.raw("message").value_or("\"\""), failure.code));
  failure.retryable = error.boolean("retryable").value_or(true);
  error.finish();
  return failure;
}

// `errors` are those of the envelope; any other flaw makes the result `invalid`.
ReadResult read_result(std::string_view json, const std::string& path, const std::string& worker,
                       std::vector<http::FieldError>& errors) {
  if (!json.starts_with('{')) {
    errors.push_back({path, "must be an object"});
    return std::unexpected(Verdict::invalid);
  }
  std::vector<http::FieldError> flaws;
  ObjectReader result(json, path, flaws);
  const std::string_view token_json = result.raw("token").value_or("null");
  if (!token_json.starts_with('"')) errors.push_back({pointer_to(path, "token"), "must be a string"});
  const auto output = result.raw("output");
  const auto usage = result.object("usage", Need::optional);
  const auto error = result.object("error", Need::optional);
  if (result.raw("error") && !error && !output) {
    flaws.push_back({path, "has neither an output nor an error"});
  } else if (output.has_value() == error.has_value()) {
    flaws.push_back(
        {path, output ? "has both an output and an error" : "has neither an output nor an error"});
  }
  TaskReport report;
  report.worker = worker;
  if (error) {
    report.outcome = read_failure(*error, path, flaws);
  } else if (output && output->size() > kMaxPayload) {
    report.outcome = TaskFailure{"output_too_large",
                                 "the output has " + std::to_string(output->size()) + " bytes; at most " +
                                     std::to_string(kMaxPayload) + " are taken",
                                 false};
  } else if (output) {
    TaskSuccess success{Payload(std::string(*output)), std::nullopt};
    if (usage) success.usage = Payload(std::string(*usage));
    report.outcome = std::move(success);
  }
  result.finish();
  if (!flaws.empty()) return std::unexpected(Verdict::invalid);
  const auto token = AttemptToken::parse(any_text(token_json, ""));
  if (!token) return std::unexpected(Verdict::unknown);
  report.token = *token;
  return report;
}

}  // namespace

agents::PollRequest read_poll(ObjectReader& body, const Options& options) {
  agents::PollRequest poll;
  const auto agents = body.array("agents", Need::required, kMaxPolledAgents);
  if (agents && agents->empty()) body.error("agents", "must name at least one agent");
  for (const std::string_view element : agents.value_or(std::vector<std::string_view>())) {
    std::string name = any_text(element, "");
    if (name.empty() || name.size() > 255) {
      body.error("agents", "must be names of agents");
      break;
    }
    poll.agents.push_back(std::move(name));
  }
  poll.worker = body.text("worker", Need::required, kMaxWorkerId).value_or("");
  poll.max = static_cast<std::uint32_t>(body.integer("max", 1, agents::kMaxTasksPerPoll).value_or(1));
  poll.wait = body.duration("wait", options.max_wait).value_or(options.default_poll_wait);
  return poll;
}

std::vector<ReadResult> read_results(ObjectReader& body, const std::string& worker,
                                     std::vector<http::FieldError>& errors) {
  std::vector<ReadResult> reports;
  const auto results = body.array("results", Need::required, agents::kMaxTasksPerPoll);
  if (!results) return reports;
  for (std::size_t i = 0; i < results->size(); ++i) {
    reports.push_back(read_result((*results)[i], "/results/" + std::to_string(i), worker, errors));
  }
  return reports;
}

}  // namespace ganglion::ingress

#include "ingress/task_requests.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "core/blob_references.h"
#include "core/topic.h"
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

std::vector<PublishRequest> read_events(ObjectReader& result, const std::string& path,
                                        std::vector<http::FieldError>& errors) {
  std::vector<PublishRequest> events;
  const auto elements = result.array("events", Need::optional, kMaxPublished);
  if (!elements) return events;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    ObjectReader event((*elements)[i], pointer_to(pointer_to(path, "events"), std::to_string(i)), errors);
    PublishRequest request;
    request.topic = event.text("topic", Need::required, kMaxTopic).value_or("");
    if (!is_topic(request.topic)) event.error("topic", "must be the name of a topic");
    request.version = static_cast<std::uint32_t>(event.integer("version", 1, kMaxTopicVersion).value_or(0));
    const std::string_view data = event.raw("data").value_or("null");
    if (data.size() > kMaxPayload) event.error("data", "is too large");
    request.data = Payload(std::string(data));
    event.finish();
    events.push_back(std::move(request));
  }
  return events;
}

std::vector<StateWrite> read_state(ObjectReader& result, const std::string& path,
                                   std::vector<http::FieldError>& errors) {
  std::vector<StateWrite> writes;
  const auto state = result.object("state", Need::optional);
  if (!state) return writes;
  JsonMembers members(*state);
  while (const auto member = members.next()) {
    const std::string at = pointer_to(pointer_to(path, "state"), member->name);
    StateWrite write{.key = std::string(member->name), .value = {}, .expires_at = {}};
    if (write.key.size() > kMaxStateKey || !is_topic(write.key)) errors.push_back({at, "is no key"});
    if (member->value.size() > kMaxPayload) errors.push_back({at, "is too large"});
    if (member->value != "null") write.value = Payload(std::string(member->value));
    writes.push_back(std::move(write));
    if (writes.size() <= kMaxStateWrites) continue;
    errors.push_back({pointer_to(path, "state"), "has too many keys"});
    break;
  }
  return writes;
}

// Digests of the blobs that a result refers to.
std::vector<std::string> blobs_of(const TaskSuccess& success) {
  std::vector<std::string> blobs;
  find_blob_references(success.output.bytes(), blobs);
  for (const PublishRequest& event : success.events) find_blob_references(event.data.bytes(), blobs);
  for (const StateWrite& write : success.state) {
    if (write.value) find_blob_references(write.value->bytes(), blobs);
  }
  return blobs;
}

}  // namespace

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
  const auto work = result.integer("work_ms", 0, kMaxWork.count());
  if (result.raw("error") && !error && !output) {
    flaws.push_back({path, "has neither an output nor an error"});
  } else if (output.has_value() == error.has_value()) {
    flaws.push_back(
        {path, output ? "has both an output and an error" : "has neither an output nor an error"});
  }
  TaskReport report;
  std::vector<std::string> blobs;
  if (work) report.work = Duration(*work);
  report.worker = result.text("worker", Need::optional, kMaxWorkerId).value_or(worker);
  if (error) {
    TaskFailure failure = read_failure(*error, path, flaws);
    if (usage) failure.usage = Payload(std::string(*usage));
    report.outcome = std::move(failure);
  } else if (output && output->size() > kMaxPayload) {
    report.outcome = TaskFailure{"output_too_large",
                                 "the output has " + std::to_string(output->size()) + " bytes; at most " +
                                     std::to_string(kMaxPayload) + " are taken",
                                 false, usage ? std::optional(Payload(std::string(*usage))) : std::nullopt};
    result.raw("events");
    result.raw("state");
  } else if (output) {
    TaskSuccess success;
    success.output = Payload(std::string(*output));
    success.events = read_events(result, path, flaws);
    success.state = read_state(result, path, flaws);
    if (usage) success.usage = Payload(std::string(*usage));
    blobs = blobs_of(success);
    report.outcome = std::move(success);
  }
  result.finish();
  if (!flaws.empty()) return std::unexpected(Verdict::invalid);
  const auto token = AttemptToken::parse(any_text(token_json, ""));
  if (!token) return std::unexpected(Verdict::unknown);
  report.token = *token;
  return Report{std::move(report), std::move(blobs)};
}

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

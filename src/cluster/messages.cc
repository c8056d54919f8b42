#include "cluster/messages.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "agents/task_json.h"
#include "base/json_text.h"
#include "base/overloaded.h"
#include "ingress/body.h"
#include "ingress/http/json_check.h"
#include "ingress/task_requests.h"

namespace ganglion::cluster {
namespace {

using ingress::Need;
using ingress::ObjectReader;

constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxItems = 100'000;  // of a list
constexpr std::int64_t kMaxNumber = std::int64_t{1} << 53;

// Reads one object; `read` fills in what it is for. Members that it doesn't ask for don't matter.
template <typename T, typename Read>
Result<T> read_object(std::string_view json, Read read) {
  if (auto valid = http::check_json(json); !valid) return fail("malformed", valid.error().message);
  std::vector<http::FieldError> errors;
  ObjectReader reader(json, "", errors);
  T value{};
  if (errors.empty()) read(reader, value);
  if (errors.empty()) return value;
  return fail("malformed", errors.front().path + " " + errors.front().message);
}

std::string text(ObjectReader& reader, std::string_view name) {
  return reader.text(name, Need::required, kMaxText).value_or("");
}

Timestamp time(ObjectReader& reader, std::string_view name) {
  return Timestamp(reader.integer(name, 0, kMaxNumber).value_or(0));
}

template <typename T>
T number(ObjectReader& reader, std::string_view name, T otherwise) {
  const auto value = reader.integer(name, std::numeric_limits<T>::min(),
                                    std::min<std::int64_t>(kMaxNumber, std::numeric_limits<T>::max()));
  return value ? static_cast<T>(*value) : otherwise;
}

std::string result_json(const TaskReport& report) {
  JsonObject json;
  json.add("token", report.token.text());
  if (report.work) json.add("work_ms", report.work->count());
  std::visit(Overloaded{[&](const TaskSuccess& success) {
                          json.add_raw("output", success.output.bytes());
                          if (success.usage) json.add_raw("usage", success.usage->bytes());
                          std::vector<std::string> events;
                          for (const PublishRequest& event : success.events) {
                            JsonObject published;
                            published.add("topic", event.topic).add_raw("data", event.data.bytes());
                            if (event.version != 0) published.add("version", std::int64_t{event.version});
                            events.push_back(published.finish());
                          }
                          if (!events.empty()) json.add_raw("events", "[" + join(events) + "]");
                          JsonObject state;
                          for (const StateWrite& write : success.state)
                            state.add_raw(write.key, write.value ? write.value->bytes() : "null");
                          if (!success.state.empty()) json.add_raw("state", state.finish());
                        },
                        [&](const TaskFailure& failure) {
                          JsonObject error;
                          error.add("code", failure.code).add("message", failure.message);
                          error.add("retryable", failure.retryable);
                          json.add_raw("error", error.finish());
                          if (failure.usage) json.add_raw("usage", failure.usage->bytes());
                        }},
             report.outcome);
  return json.finish();
}

}  // namespace

std::string agent_queue(const std::string& agent) {
  return "agent:" + agent;
}

std::string coordinator_queue(const std::string& domain) {
  return "coordinator:" + domain;
}

std::string task_message(const Task& task) {
  JsonObject json = agents::task_members(task);
  json.add("workflow", task.workflow).add("timeout_ms", task.timeout.count());
  json.add("definition", task.definition).add("priority", std::int64_t{task.priority});
  if (!task.fairness_key.empty()) json.add("fairness_key", task.fairness_key);
  json.add("fallback_follows", task.fallback_follows);
  json.add("scheduled_at_ms", task.scheduled_at.milliseconds_since_epoch());
  return json.finish();
}

Result<Task> read_task(std::string_view json) {
  const auto read = [](ObjectReader& reader, Task& task) {
    const auto token = AttemptToken::parse(text(reader, "token"));
    if (!token) reader.error("token", "is no token");
    task.token = token.value_or(AttemptToken());
    task.iteration = number<std::uint32_t>(reader, "iteration", 1);
    task.agent = text(reader, "agent");
    task.definition = text(reader, "definition");
    task.workflow = text(reader, "workflow");
    task.step = text(reader, "step");
    task.mapped = reader.integer("item", 0, kMaxNumber).has_value();
    task.input = Payload(std::string(reader.raw("input").value_or("null")));
    task.timeout = Duration(reader.integer("timeout_ms", 0, kMaxNumber).value_or(0));
    task.session_id = reader.text("session_id", Need::optional, kMaxText);
    task.traceparent = reader.text("traceparent", Need::optional, kMaxText).value_or("");
    task.priority = number<std::int32_t>(reader, "priority", 0);
    task.fairness_key = reader.text("fairness_key", Need::optional, kMaxText).value_or("");
    task.fallback_follows = reader.boolean("fallback_follows").value_or(false);
    if (const auto version = reader.integer("state_version", 0, kMaxNumber)) task.state_version = *version;
    task.scheduled_at = time(reader, "scheduled_at_ms");
  };
  return read_object<Task>(json, read);
}

std::string report_message(const TaskReport& report) {
  JsonObject json;
  json.add_raw("result", result_json(report));
  if (!report.worker.empty()) json.add("worker", report.worker);
  json.add("started_at_ms", report.started_at.milliseconds_since_epoch());
  if (report.queued_at) json.add("queued_at_ms", report.queued_at->milliseconds_since_epoch());
  return json.add("by_engine", report.by_engine).finish();
}

Result<TaskReport> read_report(std::string_view json) {
  const auto read = [](ObjectReader& reader, TaskReport& report) {
    std::vector<http::FieldError> errors;
    auto result = ingress::read_result(reader.raw("result").value_or("null"), "/result", "", errors);
    if (!result || !errors.empty()) return reader.error("result", "is no result");
    report = std::move(result->report);
    report.worker = reader.text("worker", Need::optional, kMaxText).value_or("");
    report.started_at = time(reader, "started_at_ms");
    const auto queued_at = reader.integer("queued_at_ms", 0, kMaxNumber);
    if (queued_at) report.queued_at = Timestamp(*queued_at);
    report.by_engine = reader.boolean("by_engine").value_or(false);
  };
  return read_object<TaskReport>(json, read);
}

std::string verdict_message(const std::string& token, Verdict verdict) {
  return JsonObject().add("token", token).add("verdict", verdict_name(verdict)).finish();
}

std::string heartbeat_message(const agents::Heartbeat& heartbeat) {
  JsonObject json;
  json.add("token", heartbeat.token.text()).add("worker", heartbeat.worker);
  if (heartbeat.progress) json.add_number("progress", *heartbeat.progress);
  if (heartbeat.details) json.add_raw("details", heartbeat.details->bytes());
  return json.finish();
}

Result<agents::Heartbeat> read_heartbeat(std::string_view json) {
  const auto read = [](ObjectReader& reader, agents::Heartbeat& heartbeat) {
    const auto token = AttemptToken::parse(text(reader, "token"));
    if (!token) reader.error("token", "is no token of an attempt");
    heartbeat.token = token.value_or(AttemptToken());
    heartbeat.worker = text(reader, "worker");
    heartbeat.progress = reader.number("progress");
    if (const auto details = reader.raw("details")) heartbeat.details = Payload(std::string(*details));
  };
  return read_object<agents::Heartbeat>(json, read);
}

std::string heartbeat_reply_message(const agents::HeartbeatReply& reply) {
  return JsonObject()
      .add("known", reply.known)
      .add("cancelled", reply.cancelled)
      .add("deadline_ms", reply.deadline.milliseconds_since_epoch())
      .finish();
}

Result<agents::HeartbeatReply> read_heartbeat_reply(std::string_view json) {
  const auto read = [](ObjectReader& reader, agents::HeartbeatReply& reply) {
    reply.known = reader.boolean("known").value_or(false);
    reply.cancelled = reader.boolean("cancelled").value_or(true);
    reply.deadline = time(reader, "deadline_ms");
  };
  return read_object<agents::HeartbeatReply>(json, read);
}

std::string run_message(const RunNotice& notice) {
  return JsonObject().add("run_id", notice.run.text()).add("workflow", notice.workflow).finish();
}

Result<RunNotice> read_run(std::string_view json) {
  const auto read = [](ObjectReader& reader, RunNotice& notice) {
    const auto run = RunId::parse(text(reader, "run_id"));
    if (!run) reader.error("run_id", "is no id of a run");
    notice.run = run.value_or(RunId());
    notice.workflow = text(reader, "workflow");
  };
  return read_object<RunNotice>(json, read);
}

std::string list_message(const std::vector<std::string>& items) {
  return JsonObject().add_raw("items", "[" + join(items) + "]").finish();
}

Result<std::vector<std::string>> read_list(std::string_view json) {
  const auto read = [](ObjectReader& reader, std::vector<std::string>& items) {
    for (const std::string_view item :
         reader.array("items", Need::required, kMaxItems).value_or(std::vector<std::string_view>()))
      items.emplace_back(item);
  };
  return read_object<std::vector<std::string>>(json, read);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ',';
    text += word;
  }
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace ganglion::cluster

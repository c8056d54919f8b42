#include "agents/http/http_executor.h"

#include <algorithm>
#include <utility>

#include "agents/agent_output.h"
#include "agents/task_json.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

constexpr std::size_t kMaxQuote = 1024;  // bytes of an error answer shown in a failure's message

bool is_retryable(int status) {
  if (status == 408 || status == 425 || status == 429) return true;
  return status < 300 || status >= 500;
}

std::string quote(std::string_view body) {
  if (body.size() <= kMaxQuote) return readable(body);
  std::size_t end = kMaxQuote;
  // Not in the middle of a character.
  while (end > 0 && (static_cast<unsigned char>(body[end]) & 0xC0) == 0x80) --end;
  return readable(body.substr(0, end)) + "…";
}

Outcome outcome_of(const HttpResponse& response) {
  if (response.status >= 200 && response.status < 300) {
    Result<Payload> output = read_output(response.body);
    if (!output) return TaskFailure{output.error().code, output.error().message, true};
    return TaskSuccess{*std::move(output), std::nullopt};
  }
  std::string message = "the agent answered " + std::to_string(response.status);
  if (response.status >= 300 && response.status < 400) message += "; redirects are not followed";
  if (const std::string_view pause = response.header("retry-after"); !pause.empty()) {
    message += " (Retry-After: " + quote(pause) + ")";
  }
  if (!response.body.empty()) message += ": " + quote(response.body);
  return TaskFailure{"http_status", std::move(message), is_retryable(response.status)};
}

// `url` as the project file has it.
Outcome outcome_of(const Error& error, const std::string& url) {
  if (error.code == "too_large") {
    return TaskFailure{"output_too_large",
                       "the agent answered with more than " + std::to_string(kMaxPayload) + " bytes", false};
  }
  const bool retryable = error.code != "invalid_request";
  return TaskFailure{error.code, "POST " + url + ": " + error.message, retryable};
}

void redact(std::string& text, const std::string& secret) {
  constexpr std::string_view kStars = "***";
  if (secret.empty()) return;
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kStars.size())) {
    text.replace(at, secret.size(), kStars);
  }
}

bool has_header(const HttpAgent& agent, std::string_view name) {
  return std::ranges::any_of(agent.headers, [&](const auto& header) {
    return std::ranges::equal(header.first, name, [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  });
}

}  // namespace

HttpExecutor::HttpExecutor(HttpClient& client, Clock& clock, SecretSource secrets)
    : client_(client), clock_(clock), secrets_(std::move(secrets)) {}

HttpExecutor::~HttpExecutor() {
  for (const auto& [token, call] : running_) client_.cancel(call.id);
}

Result<HttpRequest> HttpExecutor::make_request(const Task& task, const HttpAgent& agent, Timestamp deadline,
                                               std::vector<std::string>& used) {
  SecretSource secrets = [&](const std::string& name) {
    std::optional<std::string> value = secrets_(name);
    if (value) used.push_back(*value);
    return value;
  };
  HttpRequest request{.method = "POST",
                      .url = {},
                      .headers = {},
                      .body = task_json(task, deadline),
                      .timeout = task.timeout,
                      .max_response_bytes = kMaxPayload};
  Result<std::string> url = fill_in_secrets(agent.url, secrets);
  if (!url) return std::unexpected(url.error());
  request.url = *std::move(url);
  for (const auto& [name, text] : agent.headers) {
    Result<std::string> value = fill_in_secrets(text, secrets);
    if (!value) return std::unexpected(value.error());
    request.headers.emplace_back(name, *std::move(value));
  }
  const auto add = [&](const char* name, std::string value) {
    if (!has_header(agent, name)) request.headers.emplace_back(name, std::move(value));
  };
  add("Content-Type", "application/json");
  add("Accept", "application/json");
  add("Idempotency-Key", task.idempotency_key());
  if (!task.traceparent.empty()) add("traceparent", task.traceparent);
  return request;
}

void HttpExecutor::start(const Task& task, const AgentDefinition& definition, Timestamp deadline,
                         Completion done) {
  const auto& agent = std::get<HttpAgent>(definition.backend);
  const AttemptToken token = task.token;
  Call& call = running_.emplace(token, Call{HttpCallId(), agent.url, {}, std::move(done)}).first->second;
  Result<HttpRequest> request = make_request(task, agent, deadline, call.secrets);
  if (!request) {
    clock_.post(lifetime_.guard([this, token, error = request.error()] {
      end(token, TaskFailure{error.code, error.message, false});
    }));
    return;
  }
  call.id = client_.send(
      *std::move(request),
      lifetime_.guard([this, token](const Result<HttpResponse>& response) { answered(token, response); }));
}

void HttpExecutor::answered(const AttemptToken& token, const Result<HttpResponse>& response) {
  Call& call = running_.at(token);
  // The longest first, because one may be part of another; the whole answer, before it is cut for a message.
  std::ranges::sort(call.secrets, std::ranges::greater(), &std::string::size);
  const auto redact_all = [&](std::string& text) {
    for (const std::string& secret : call.secrets) redact(text, secret);
  };
  Outcome outcome;
  if (response && response->status >= 200 && response->status < 300) {
    outcome = outcome_of(*response);
  } else if (response) {
    HttpResponse answer = *response;
    redact_all(answer.body);
    outcome = outcome_of(answer);
  } else {
    outcome = outcome_of(response.error(), call.url);
  }
  if (auto* failure = std::get_if<TaskFailure>(&outcome)) redact_all(failure->message);
  end(token, std::move(outcome));
}

void HttpExecutor::cancel(const AttemptToken& token) {
  const auto at = running_.find(token);
  if (at == running_.end()) return;
  client_.cancel(at->second.id);
  clock_.post(
      lifetime_.guard([this, token] { end(token, TaskFailure{"timeout", "the call was cancelled", true}); }));
}

void HttpExecutor::end(const AttemptToken& token, Outcome outcome) {
  auto node = running_.extract(token);
  if (!node.empty()) node.mapped().done(std::move(outcome));
}

}  // namespace ganglion::agents

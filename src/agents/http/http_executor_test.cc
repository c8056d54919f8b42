#include "agents/http/http_executor.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "agents/task_json.h"
#include "core/workflow.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::agents {
namespace {

// Keeps requests until the test answers them.
class FakeHttpClient final : public HttpClient {
 public:
  HttpCallId send(HttpRequest request, Completion done) override {
    requests.push_back(std::move(request));
    const HttpCallId id(requests.size());
    open.emplace(id, std::move(done));
    return id;
  }
  void cancel(HttpCallId call) override { open.erase(call); }

  void answer(Result<HttpResponse> response) { open.extract(open.begin()).mapped()(std::move(response)); }

  std::vector<HttpRequest> requests;
  std::map<HttpCallId, Completion> open;
};

class HttpExecutorTest : public ::testing::Test {
 protected:
  HttpExecutorTest() {
    task.token = {RunId::make(Timestamp(1), 2, 3), StepIndex(0), ItemIndex(0), Attempt(1)};
    task.agent = "scanner";
    task.step = "scan";
    task.input = Payload(R"({"n":1})");
    task.timeout = Duration(7'000);
    task.traceparent = "00-1-2-01";
    backend.url = "http://127.0.0.1:9000/scan?key=${{ secrets.KEY }}";
    backend.headers = {{"Authorization", "Bearer ${{ secrets.KEY }}"}, {"accept", "text/json"}};
  }

  void start() {
    AgentDefinition agent;
    agent.backend = backend;
    executor.start(task, agent, Timestamp(5), [this](Outcome result) {
      ASSERT_FALSE(outcome);
      outcome = std::move(result);
    });
    EXPECT_FALSE(outcome);
  }
  void answer(int status, std::string body, HttpHeaders headers = {}) {
    outcome.reset();
    start();
    client.answer(HttpResponse{status, std::move(headers), std::move(body)});
    ASSERT_TRUE(outcome);
  }
  const TaskFailure& failure() const { return std::get<TaskFailure>(*outcome); }

  testing::VirtualClock clock;
  FakeHttpClient client;
  std::map<std::string, std::string> secrets{{"KEY", "s3cret"}};
  HttpExecutor executor{client, clock, [this](const std::string& name) -> std::optional<std::string> {
                          const auto at = secrets.find(name);
                          if (at == secrets.end()) return std::nullopt;
                          return at->second;
                        }};
  Task task;
  HttpAgent backend;
  std::optional<Outcome> outcome;
};

std::string header_of(const HttpRequest& request, std::string_view name) {
  std::string values;
  for (const auto& [known, value] : request.headers) {
    if (known == name) values += value + ";";
  }
  return values;
}

TEST_F(HttpExecutorTest, TheTaskIsPostedAsAPollWouldShowIt) {
  start();
  const HttpRequest& request = client.requests.at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://127.0.0.1:9000/scan?key=s3cret");
  EXPECT_EQ(request.body, task_json(task, Timestamp(5)));
  EXPECT_EQ(request.timeout, Duration(7'000));
  EXPECT_EQ(header_of(request, "Authorization"), "Bearer s3cret;");
  EXPECT_EQ(header_of(request, "Content-Type"), "application/json;");
  EXPECT_EQ(header_of(request, "Idempotency-Key"), task.token.idempotency_key() + ";");
  EXPECT_EQ(header_of(request, "traceparent"), "00-1-2-01;");
}

TEST_F(HttpExecutorTest, AHeaderOfTheAgentReplacesOurs) {
  start();
  EXPECT_EQ(header_of(client.requests.at(0), "accept"), "text/json;");
  EXPECT_EQ(header_of(client.requests.at(0), "Accept"), "");
}

TEST_F(HttpExecutorTest, ABodyOfA2xxAnswerIsTheOutput) {
  answer(200, " {\"ok\": true}\n");
  EXPECT_EQ(std::get<TaskSuccess>(*outcome).output, Payload("{\"ok\": true}"));
  answer(202, "[]");
  EXPECT_TRUE(std::holds_alternative<TaskSuccess>(*outcome));
}

TEST_F(HttpExecutorTest, AnAnswerThatIsNotJsonIsInvalid) {
  answer(200, "<html>");
  EXPECT_EQ(failure().code, "invalid_output");
  EXPECT_TRUE(failure().retryable);
  answer(204, "");
  EXPECT_EQ(failure().code, "invalid_output");
}

TEST_F(HttpExecutorTest, WhatTheCallerDidWrongIsNotRetriedAndTheRestIs) {
  const std::map<int, bool> retryable = {{301, false}, {400, false}, {404, false}, {422, false}, {408, true},
                                         {425, true},  {429, true},  {500, true},  {503, true}};
  for (const auto& [status, expected] : retryable) {
    answer(status, "no");
    EXPECT_EQ(failure().code, "http_status");
    EXPECT_EQ(failure().retryable, expected) << status;
  }
}

TEST_F(HttpExecutorTest, AFailureQuotesTheAnswerAndItsRetryAfter) {
  answer(503, "come\x01 back " + std::string(5000, 'x'), {{"retry-after", "120"}});
  EXPECT_TRUE(failure().message.starts_with("the agent answered 503 (Retry-After: 120): come? back xxx"))
      << failure().message;
  EXPECT_LT(failure().message.size(), 1200U);
}

TEST_F(HttpExecutorTest, ErrorsOfTheConnectionKeepTheirCode) {
  for (const char* code : {"unreachable", "timeout"}) {
    outcome.reset();
    start();
    client.answer(fail(code, "reason"));
    EXPECT_EQ(failure().code, code);
    EXPECT_TRUE(failure().retryable);
  }
  outcome.reset();
  start();
  client.answer(fail("too_large", "reason"));
  EXPECT_EQ(failure().code, "output_too_large");
  EXPECT_FALSE(failure().retryable);
}

TEST_F(HttpExecutorTest, AFailureNamesTheAgentsUrlAsItIsWrittenAndNeverASecret) {
  start();
  client.answer(fail("unreachable", "no connection"));
  EXPECT_EQ(failure().message, "POST http://127.0.0.1:9000/scan?key=${{ secrets.KEY }}: no connection");

  answer(401, "bad key s3cret");
  EXPECT_EQ(failure().message, "the agent answered 401: bad key ***");
}

TEST_F(HttpExecutorTest, AMissingSecretFailsForGoodWithoutACall) {
  secrets.clear();
  start();
  clock.run();
  EXPECT_EQ(failure().code, "missing_secret");
  EXPECT_FALSE(failure().retryable);
  EXPECT_TRUE(client.requests.empty());
}

TEST_F(HttpExecutorTest, ACancelledCallIsAbortedAndStillEndsOnce) {
  start();
  executor.cancel(task.token);
  EXPECT_TRUE(client.open.empty());
  EXPECT_FALSE(outcome);
  executor.cancel(task.token);
  clock.run();
  EXPECT_TRUE(outcome);
}

}  // namespace
}  // namespace ganglion::agents

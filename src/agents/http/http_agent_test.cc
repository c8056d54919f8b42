// The executor with the real client, against a real server on loopback.

#include <gtest/gtest.h>

#include <optional>

#include "adapters/curl/canned_server.h"
#include "adapters/curl/curl_http_client.h"
#include "agents/http/http_executor.h"
#include "agents/process/loop_fixture.h"
#include "agents/task_json.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

class HttpAgentTest : public ::testing::Test {
 protected:
  HttpAgentTest() {
    task.token = {RunId::make(Timestamp(1), 2, 3), StepIndex(0), ItemIndex(0), Attempt(1)};
    task.agent = "scanner";
    task.step = "scan";
    task.input = Payload(R"({"file":"a.py"})");
    task.timeout = Duration(10'000);
    agent.backend = HttpAgent{server.url("/scan"), {{"Authorization", "Bearer ${{ secrets.KEY }}"}}};
  }
  ~HttpAgentTest() override {
    executor.reset();
    client.reset();
    loop.context.restart();
    loop.context.poll();
  }

  bool run() {
    executor->start(task, agent, Timestamp(5), [this](Outcome result) { outcome = std::move(result); });
    return loop.run_until([this] { return outcome.has_value(); });
  }

  TestLoop loop;
  std::string canned;
  CannedServer server{loop.context, [this](const std::string&, const std::string&) { return canned; }};
  std::optional<CurlHttpClient> client{loop.context};
  std::optional<HttpExecutor> executor{std::in_place, *client, loop.clock,
                                       [](const std::string&) { return std::optional<std::string>("k1"); }};
  Task task;
  AgentDefinition agent;
  std::optional<Outcome> outcome;
};

TEST_F(HttpAgentTest, ATaskGoesOutAndItsOutputComesBack) {
  canned = CannedServer::ok(R"({"findings":[]})");
  ASSERT_TRUE(run());
  EXPECT_EQ(std::get<TaskSuccess>(*outcome).output, Payload(R"({"findings":[]})"));
  EXPECT_EQ(server.bodies.at(0), task_json(task, Timestamp(5)));
  EXPECT_TRUE(server.heads.at(0).starts_with("POST /scan HTTP/1.1"));
  EXPECT_NE(server.heads.at(0).find("Authorization: Bearer k1"), std::string::npos);
}

TEST_F(HttpAgentTest, AServerThatIsBusyIsAFailureWorthARetry) {
  canned = CannedServer::with_status("503 Service Unavailable", "later", "Retry-After: 7\r\n");
  ASSERT_TRUE(run());
  EXPECT_EQ(std::get<TaskFailure>(*outcome).message, "the agent answered 503 (Retry-After: 7): later");
  EXPECT_TRUE(std::get<TaskFailure>(*outcome).retryable);
}

TEST_F(HttpAgentTest, AnOutputBeyondTheBoundIsAFailureForGood) {
  canned = CannedServer::ok("\"" + std::string(kMaxPayload, 'x') + "\"");
  ASSERT_TRUE(run());
  EXPECT_EQ(std::get<TaskFailure>(*outcome).code, "output_too_large");
}

TEST_F(HttpAgentTest, ACancelledCallLetsGoOfItsServer) {
  canned = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  executor->start(task, agent, Timestamp(5), [this](Outcome result) { outcome = std::move(result); });
  ASSERT_TRUE(loop.run_until([this] { return !server.bodies.empty(); }));
  executor->cancel(task.token);
  ASSERT_TRUE(loop.run_until([this] { return outcome.has_value(); }));
}

}  // namespace
}  // namespace ganglion::agents

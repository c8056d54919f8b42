#include "adapters/curl/curl_http_client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "adapters/curl/canned_server.h"

namespace ganglion {
namespace {

class CurlHttpClientTest : public ::testing::Test {
 protected:
  ~CurlHttpClientTest() override {
    client.reset();
    loop.restart();
    loop.poll();  // lets the server's connections see their end
  }

  bool run_until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      loop.restart();
      loop.run_one_until(limit);
    }
    return true;
  }

  HttpCallId send(HttpRequest request) {
    return client->send(std::move(request),
                        [this](Result<HttpResponse> answer) { answers.push_back(std::move(answer)); });
  }
  Result<HttpResponse> exchange(HttpRequest request) {
    const std::size_t before = answers.size();
    send(std::move(request));
    EXPECT_EQ(answers.size(), before) << "answered inside the call";
    EXPECT_TRUE(run_until([&] { return answers.size() > before; }));
    return answers.back();
  }
  static HttpRequest post(std::string url, std::string body) {
    HttpRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.body = std::move(body);
    return request;
  }

  asio::io_context loop{1};
  std::optional<CurlHttpClient> client{loop};
  std::string canned = CannedServer::ok("{}");
  CannedServer server{loop, [this](const std::string&, const std::string&) { return canned; }};
  std::vector<Result<HttpResponse>> answers;
};

TEST_F(CurlHttpClientTest, APostCarriesItsBodyAndHeadersAndBringsTheAnswer) {
  canned = CannedServer::with_status("201 Created", "[1]", "X-Kind: a b \r\n");
  HttpRequest request = post(server.url("/scan?x=1"), "{\"a\":1}");
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  const auto answer = exchange(std::move(request));

  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "[1]");
  EXPECT_EQ(answer->header("x-kind"), "a b");
  EXPECT_TRUE(server.heads[0].starts_with("POST /scan?x=1 HTTP/1.1\r\n"));
  EXPECT_NE(server.heads[0].find("\r\nContent-Type: application/json"), std::string::npos);
  EXPECT_NE(server.heads[0].find("\r\nX-Empty:"), std::string::npos);
  EXPECT_EQ(server.bodies[0], "{\"a\":1}");
}

TEST_F(CurlHttpClientTest, ConnectionsAreKeptAlive) {
  for (int at = 0; at < 3; ++at) ASSERT_TRUE(exchange(post(server.url("/"), "1")));
  EXPECT_EQ(server.connections, 1);
}

TEST_F(CurlHttpClientTest, ManyCallsRunAtOnce) {
  for (int at = 0; at < 50; ++at) send(post(server.url("/" + std::to_string(at)), std::to_string(at)));
  ASSERT_TRUE(run_until([&] { return answers.size() == 50; }));
  for (const auto& answer : answers) EXPECT_TRUE(answer);
}

TEST_F(CurlHttpClientTest, ALargeBodyGoesOut) {
  const std::string large(1 << 20, 'x');
  ASSERT_TRUE(exchange(post(server.url("/"), large)));
  EXPECT_EQ(server.bodies[0], large);
}

TEST_F(CurlHttpClientTest, AnAnswerLargerThanAllowedIsAnError) {
  canned = CannedServer::ok(std::string(1001, 'x'));
  HttpRequest request = post(server.url("/"), "1");
  request.max_response_bytes = 1000;
  const auto answer = exchange(std::move(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "too_large");
}

TEST_F(CurlHttpClientTest, AnAnswerWithEndlessHeadersIsAnError) {
  canned = CannedServer::ok("{}", "X-Long: " + std::string(80'000, 'x') + "\r\n");
  const auto answer = exchange(post(server.url("/"), "1"));
  ASSERT_FALSE(answer);
}

TEST_F(CurlHttpClientTest, ARedirectIsAnAnswerAndNotFollowed) {
  canned = CannedServer::with_status("302 Found", "", "Location: " + server.url("/other") + "\r\n");
  const auto answer = exchange(post(server.url("/"), "1"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(server.heads.size(), 1U);
}

TEST_F(CurlHttpClientTest, NobodyListeningIsUnreachable) {
  std::uint16_t free_port = 0;
  {
    const LoopAcceptor closed(loop.get_executor(), {asio::ip::address_v4::loopback(), 0});
    free_port = closed.local_endpoint().port();
  }
  const auto answer = exchange(post("http://127.0.0.1:" + std::to_string(free_port) + "/", "1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "unreachable");
  EXPECT_NE(answer.error().message.find("Connection refused"), std::string::npos) << answer.error().message;
}

TEST_F(CurlHttpClientTest, AConnectionThatBreaksIsUnreachable) {
  canned = "";
  const auto answer = exchange(post(server.url("/"), "1"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "unreachable");
}

TEST_F(CurlHttpClientTest, AServerThatDoesNotAnswerInTimeIsATimeout) {
  canned = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  HttpRequest request = post(server.url("/"), "1");
  request.timeout = Duration(50);
  const auto answer = exchange(std::move(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "timeout");
}

TEST_F(CurlHttpClientTest, WhatIsNotHttpIsRefused) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "not a url", ""}) {
    const auto answer = exchange(post(url, "1"));
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, "invalid_request") << url;
  }
}

TEST_F(CurlHttpClientTest, AHeaderCanNotSmuggleAnother) {
  HttpRequest request = post(server.url("/"), "1");
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  const auto answer = exchange(std::move(request));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "invalid_request");
  EXPECT_TRUE(server.heads.empty());
}

TEST_F(CurlHttpClientTest, LoopbackIsReachedWithoutTheProxyOfTheEnvironment) {
  ::setenv("http_proxy", "http://192.0.2.1:9", 1);
  const auto answer = exchange(post(server.url("/"), "1"));
  ::unsetenv("http_proxy");
  EXPECT_TRUE(answer);
}

TEST_F(CurlHttpClientTest, ACancelledCallIsNotAnswered) {
  const HttpCallId first = send(post(server.url("/1"), "1"));
  send(post(server.url("/2"), "2"));
  client->cancel(first);
  ASSERT_TRUE(run_until([&] { return answers.size() == 1; }));
  client->cancel(first);
  ASSERT_TRUE(exchange(post(server.url("/3"), "3")));
  EXPECT_EQ(answers.size(), 2U);
}

TEST_F(CurlHttpClientTest, AnAnswerMayCancelAnotherCallOrEndTheClient) {
  std::vector<HttpCallId> calls;
  int answered = 0;
  for (int at = 0; at < 8; ++at) {
    calls.push_back(client->send(post(server.url("/"), "1"), [&](const Result<HttpResponse>&) {
      ++answered;
      for (const HttpCallId call : calls) client->cancel(call);
      client.reset();
    }));
  }
  ASSERT_TRUE(run_until([&] { return answered > 0; }));
  loop.poll();
  EXPECT_EQ(answered, 1);
}

}  // namespace
}  // namespace ganglion

// Requests, waiting and streams on a loopback socket.

#include "ingress/http/server_fixture.h"

namespace ganglion::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpServer, answers_and_keeps_the_connection) {
  start();
  Client client(*this);
  for (int i = 0; i < 3; ++i) {
    client.send(get("/hello/you%21", "X-Request-Id: mine-1\r\n"));
    const std::string response = client.response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(response, HasSubstr("\r\nX-Request-Id: mine-1\r\n"));
    EXPECT_THAT(response, HasSubstr("\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Connection:")));
    EXPECT_THAT(response, ::testing::EndsWith("\r\n\r\nhello you!"));
  }
  EXPECT_EQ(log_.front(), "GET /hello/you%21 200");
  EXPECT_EQ(server_->statistics().accepted, 1u);
  EXPECT_EQ(server_->statistics().answers[2], 3u);
}

TEST_F(HttpServer, makes_a_request_id_unless_the_client_sent_a_usable_one) {
  start();
  Client client(*this);
  client.send(get("/hello/a", "X-Request-Id: bad id\r\n"));
  EXPECT_THAT(client.response(), ::testing::ContainsRegex("X-Request-Id: [0-9a-f]{12}-1\r\n"));
}

TEST_F(HttpServer, answers_pipelined_requests_in_order) {
  start();
  Client client(*this);
  std::string all;
  for (int i = 0; i < 200; ++i)
    all += i % 2 ? get("/hello/" + std::to_string(i)) : post("body" + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 200; ++i) {
    EXPECT_THAT(client.response(), ::testing::EndsWith((i % 2 ? "hello " : "body") + std::to_string(i)));
  }
}

TEST_F(HttpServer, answers_requests_that_were_pipelined_behind_a_waiting_one_after_it) {
  start();
  Client client(*this);
  client.send(get("/wait") + get("/hello/second"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  waiting_->respond(Response::json(200, "first"));
  EXPECT_THAT(client.response(), ::testing::EndsWith("first"));
  EXPECT_THAT(client.response(), ::testing::EndsWith("hello second"));
}

TEST_F(HttpServer, takes_large_bodies_plain_and_chunked) {
  start();
  Client client(*this);
  const std::string large(options_.request.body, 'x');
  client.send(post(large));
  EXPECT_THAT(client.response(), ::testing::EndsWith("\r\n\r\n" + large));
  std::string chunks;
  for (int i = 0; i < 300; ++i) chunks += "400\r\n" + std::string(1024, 'y') + "\r\n";
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
              "0\r\n\r\n");
  EXPECT_THAT(client.response(), ::testing::EndsWith("\r\n\r\n" + std::string(300 * 1024, 'y')));
  EXPECT_EQ(server_->statistics().buffered_bytes, 0u);
}

TEST_F(HttpServer, asks_for_the_body_that_a_client_holds_back) {
  start();
  Client client(*this);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.response(), ::testing::EndsWith("ok"));
}

TEST_F(HttpServer, refuses_before_the_body_comes) {
  options_.tokens = {"secret"};
  start();
  for (const auto& [head, status] : std::vector<std::pair<std::string, std::string>>{
           {"POST /echo HTTP/1.1\r\nHost: localhost\r\n", "401 "},
           {"POST /echo HTTP/1.1\r\nHost: evil.example\r\n", "403 "},
           {"POST /none HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n", "404 "},
           {"POST /wait HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer secret\r\n", "405 "}}) {
    Client client(*this);
    client.send(head + "Content-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
    const std::string response = client.response();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 " + status));
    EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(response, HasSubstr("Content-Type: application/problem+json\r\n"));
  }
}

TEST_F(HttpServer, a_refusal_of_a_whole_request_keeps_the_connection) {
  options_.tokens = {"secret"};
  start();
  Client client(*this);
  client.send(get("/hello/a") + get("/none", "Authorization: Bearer secret\r\n") +
              get("/hello/a", "Authorization: Bearer secret\r\n") + get("/open"));
  EXPECT_THAT(client.response(), HasSubstr("WWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(client.response(), HasSubstr("\"code\":\"not_found\""));
  EXPECT_THAT(client.response(), HasSubstr("hello a"));
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, answers_a_malformed_request_and_closes) {
  start();
  Client client(*this);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send(std::string(100'000, 'x'));
  const std::string response = client.response();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(response, HasSubstr("\"code\":\"malformed_request\""));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServer, answers_head_options_and_other_methods) {
  start();
  Client client(*this);
  client.send("HEAD /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 7\r\n"));
  client.send("OPTIONS /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string options = client.response();
  EXPECT_THAT(options, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(options, HasSubstr("Allow: GET, HEAD, OPTIONS\r\n"));
  client.send("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 204"));
  client.send("BREW /hello/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 405"));
}

TEST_F(HttpServer, a_handler_that_drops_or_throws_answers_500) {
  start();
  Client client(*this);
  client.send(get("/drop") + get("/throw") + get("/hello/a"));
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(client.response(), HasSubstr("hello a"));
}

// --- waiting ---

TEST_F(HttpServer, notices_at_once_that_a_waiting_client_has_gone) {
  start();
  Client client(*this);
  client.send(get("/wait"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  EXPECT_TRUE(waiting_->open());
  client.close();
  ASSERT_TRUE(turn_until([&] { return !interrupts_.empty(); }));
  EXPECT_THAT(interrupts_, ::testing::ElementsAre(Interrupt::client_gone));
  EXPECT_FALSE(waiting_->open());
  waiting_->respond({});
  ASSERT_TRUE(turn_until([&] { return server_->statistics().connections == 0; }));
  EXPECT_EQ(log_.back(), "GET /wait 499");
  EXPECT_EQ(server_->statistics().waiting, 0u);
}

TEST_F(HttpServer, an_answer_drops_the_interrupt_hook) {
  start();
  Client client(*this);
  client.send(get("/wait"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  waiting_->respond(Response::json(200, "now"));
  EXPECT_THAT(client.response(), ::testing::EndsWith("now"));
  client.close();
  ASSERT_TRUE(turn_until([&] { return server_->statistics().connections == 0; }));
  EXPECT_TRUE(interrupts_.empty());
}

TEST_F(HttpServer, tells_the_handler_that_its_answer_was_lost) {
  start();
  int lost = 0;
  for (const bool client_closes_first : {true, false}) {
    waiting_.reset();
    Client client(*this);
    client.send(get("/wait"));
    ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
    // Closed and answered in one turn: the server can't have noticed yet.
    if (client_closes_first) client.close();
    waiting_->respond(Response::json(200, "for you"), [&] { ++lost; });
    if (!client_closes_first) EXPECT_THAT(client.response(), ::testing::EndsWith("for you"));
    client.close();
    ASSERT_TRUE(turn_until([&] { return server_->statistics().connections == 0; }));
    EXPECT_EQ(lost, 1);
  }
}

TEST_F(HttpServer, a_waiting_request_has_no_deadline_of_the_servers) {
  start();
  Client client(*this);
  client.send(get("/wait"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  pass(Duration{3'600'000});
  waiting_->respond(Response::json(200, "late"));
  EXPECT_THAT(client.response(), ::testing::EndsWith("late"));
}

// --- streams ---

TEST_F(HttpServer, streams_events_in_chunks_and_goes_on_with_the_connection) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  stream_.send("1", "", "{\"a\":\n1}");
  EXPECT_EQ(client.read_until("\n\n\r\n"), "1c\r\nid: 1\ndata: {\"a\":\ndata: 1}\n\n\r\n");
  stream_.send("", "end", "");
  stream_.end();
  EXPECT_EQ(client.read_until("0\r\n\r\n"), "13\r\nevent: end\ndata: \n\n\r\n0\r\n\r\n");
  client.send(get("/hello/a"));
  EXPECT_THAT(client.response(), HasSubstr("hello a"));
}

TEST_F(HttpServer, sends_a_comment_on_a_silent_stream) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  pass(options_.heartbeat - Duration{1});
  client.receive();
  EXPECT_EQ(client.received_, "");
  pass(DeadlineWheel::kTick + Duration{1});
  EXPECT_EQ(client.read_until("\n\n\r\n"), "3\r\n:\n\n\r\n");
}

TEST_F(HttpServer, a_stream_tells_its_producer_when_to_wait_and_when_to_go_on) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  const std::string event(1000, 'x');
  std::size_t sent = 0;
  while (stream_.ready()) {
    stream_.send("", "", event);
    ++sent;
  }
  EXPECT_LE(sent, options_.stream_high_water / event.size() + 1);
  bool resumed = false;
  stream_.on_ready([&] { resumed = true; });
  EXPECT_FALSE(resumed);
  EXPECT_TRUE(turn_until([&] { return resumed; }));
}

TEST_F(HttpServer, a_stream_that_is_ready_already_says_so_too_but_not_at_once) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  int told = 0;
  stream_.on_ready([&] { ++told; });
  EXPECT_EQ(told, 0);
  ASSERT_TRUE(turn_until([&] { return told == 1; }));
  stream_.send("", "", "a");
  stream_.on_ready([&] { ++told; });
  EXPECT_EQ(told, 1);
  ASSERT_TRUE(turn_until([&] { return told == 2; }));
}

TEST_F(HttpServer, an_event_of_any_size_is_sent_when_the_stream_was_ready_for_it) {
  options_.stream_hard_limit = 100'000;
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  const std::string event(options_.stream_hard_limit + 1, 'x');
  stream_.send("", "", event);
  EXPECT_TRUE(stream_.open());
  EXPECT_THAT(client.read_until("\n\n"), HasSubstr(event));
}

TEST_F(HttpServer, cuts_a_stream_whose_producer_does_not_wait) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  const std::string event(100'000, 'x');
  for (std::size_t sent = 0; sent <= options_.stream_hard_limit && stream_.open(); sent += event.size()) {
    stream_.send("", "", event);
  }
  ASSERT_TRUE(turn_until([&] { return server_->statistics().connections == 0; }));
  EXPECT_THAT(interrupts_, ::testing::ElementsAre(Interrupt::client_gone));
}

TEST_F(HttpServer, notices_at_once_that_a_streams_client_has_gone) {
  start();
  Client client(*this);
  client.send(get("/stream"));
  client.read_until("\r\n\r\n");
  client.close();
  ASSERT_TRUE(turn_until([&] { return !interrupts_.empty(); }));
  EXPECT_FALSE(stream_.open());
}

TEST_F(HttpServer, streams_to_http_1_0_until_the_connection_closes) {
  start();
  Client client(*this);
  client.send("GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), Not(HasSubstr("chunked")));
  stream_.send("", "", "a");
  EXPECT_EQ(client.read_until("\n\n"), "data: a\n\n");
  stream_.end();
  EXPECT_TRUE(client.closed_by_server());
}

}  // namespace
}  // namespace ganglion::http

// What ends a connection: limits, deadlines, draining, destruction.

#include "ingress/http/server_fixture.h"

namespace ganglion::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// --- limits ---

TEST_F(HttpServer, ends_connections_that_send_no_request) {
  start();
  Client silent(*this);
  Client slow(*this);
  slow.send("GET / HT");
  ASSERT_TRUE(turn_until(
      [&] { return server_->statistics().connections == 2 && server_->statistics().buffered_bytes == 8; }));
  pass(options_.header_timeout - Duration{1});
  EXPECT_EQ(server_->statistics().connections, 2u);
  pass(DeadlineWheel::kTick + Duration{1});
  EXPECT_TRUE(silent.closed_by_server());
  EXPECT_EQ(silent.received_, "");
  EXPECT_THAT(slow.response(), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(HttpServer, a_trickle_does_not_push_the_header_deadline) {
  start();
  Client client(*this);
  const std::string text = get("/hello/a");
  for (int i = 0; i < 20; ++i) {
    client.send(text.substr(static_cast<std::size_t>(i), 1));
    const auto expected = static_cast<std::size_t>(i + 1);
    ASSERT_TRUE(
        turn_until([&] { return server_->statistics().buffered_bytes == expected || client.closed_; }));
    pass(options_.header_timeout / 20 + Duration{20});
  }
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServer, ends_connections_whose_body_or_next_request_does_not_come) {
  start();
  Client body(*this);
  Client idle(*this);
  idle.send(get("/hello/a"));
  EXPECT_THAT(idle.response(), HasSubstr("hello a"));
  body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn_until([&] { return server_->statistics().buffered_bytes > 0; }));
  pass(options_.body_timeout + DeadlineWheel::kTick);
  EXPECT_THAT(body.response(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(idle.received_, "");
  pass(options_.keep_alive_timeout - options_.body_timeout + DeadlineWheel::kTick);
  EXPECT_TRUE(idle.closed_by_server());
}

TEST_F(HttpServer, ends_connections_that_do_not_read_their_answer) {
  start();
  Client client(*this);
  client.send(get("/large"));
  ASSERT_TRUE(turn_until([&] { return client.socket_.available() > 0; }));
  pass(options_.write_timeout + DeadlineWheel::kTick);
  EXPECT_TRUE(turn_until([&] { return server_->statistics().connections == 0; }));
  EXPECT_EQ(log_.back(), "GET /large 499");
}

TEST_F(HttpServer, tells_connections_beyond_the_maximum_so) {
  options_.max_connections = 3;
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(std::make_unique<Client>(*this));
  Client extra(*this);
  extra.send(get("/hello/a"));
  const std::string response = extra.response();
  EXPECT_THAT(response, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(response, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(response, HasSubstr("too_many_connections"));
  EXPECT_TRUE(extra.closed_by_server());
  extra.close();
  clients.pop_back();
  ASSERT_TRUE(turn_until([&] { return server_->statistics().connections == 2; }));
  Client next(*this);
  next.send(get("/hello/a"));
  EXPECT_THAT(next.response(), HasSubstr("hello a"));
  EXPECT_EQ(server_->statistics().turned_away, 1u);
}

TEST_F(HttpServer, bounds_the_unfinished_bodies_of_all_connections_together) {
  options_.request.body = 64 * 1024;
  options_.max_buffered = 96 * 1024;
  start();
  const std::string part =
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65536\r\n\r\n" + std::string(60'000, 'x');
  Client first(*this);
  first.send(part);
  ASSERT_TRUE(turn_until([&] { return server_->statistics().buffered_bytes > 60'000; }));
  Client second(*this);
  second.send(part);
  EXPECT_THAT(second.response(), HasSubstr("\"code\":\"overloaded\""));
  first.send(std::string(5536, 'x'));
  EXPECT_THAT(first.response(), StartsWith("HTTP/1.1 200"));
}

// --- the end ---

TEST_F(HttpServer, drains_idle_connections_at_once_and_interrupts_waiting_ones) {
  start();
  Client idle(*this);
  Client waiting(*this);
  Client streaming(*this);
  waiting.send(get("/wait"));
  streaming.send(get("/stream"));
  streaming.read_until("\r\n\r\n");
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value() && server_->statistics().connections == 3; }));
  bool stopped = false;
  server_->stop(Duration{5000}, [&] { stopped = true; });
  EXPECT_TRUE(idle.closed_by_server());
  const std::string response = waiting.response();
  EXPECT_THAT(response, HasSubstr("\"code\":\"shutting_down\""));
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(streaming.read_until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_TRUE(turn_until([&] { return stopped; }));
  EXPECT_THAT(interrupts_, ::testing::ElementsAre(Interrupt::draining, Interrupt::draining));
}

TEST_F(HttpServer, a_handler_may_answer_when_it_is_told_of_draining) {
  answer_interrupt_ = true;
  start();
  Client client(*this);
  client.send(get("/wait"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  bool stopped = false;
  server_->stop(Duration{5000}, [&] { stopped = true; });
  EXPECT_THAT(client.response(), ::testing::EndsWith("interrupted"));
  EXPECT_TRUE(turn_until([&] { return stopped; }));
}

TEST_F(HttpServer, a_handler_that_sets_another_hook_when_it_is_told_of_draining_answers_later) {
  start();
  Client client(*this);
  client.send(get("/wait"));
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value(); }));
  waiting_->on_interrupt([&](Interrupt) { waiting_->on_interrupt([](Interrupt) {}); });
  bool stopped = false;
  server_->stop(Duration{5000}, [&] { stopped = true; });
  waiting_->respond(Response::json(200, "later"));
  EXPECT_THAT(client.response(), ::testing::EndsWith("later"));
  EXPECT_TRUE(turn_until([&] { return stopped; }));
}

TEST_F(HttpServer, a_responder_that_only_its_hook_holds_is_not_dropped_by_draining) {
  start();
  Client client(*this);
  client.send(get("/held"));
  ASSERT_TRUE(turn_until([&] { return server_->statistics().waiting == 1; }));
  server_->stop(Duration{5000}, [] {});
  EXPECT_THAT(client.response(), HasSubstr("\"code\":\"shutting_down\""));
}

TEST_F(HttpServer, closes_what_is_left_after_the_grace_time) {
  start();
  Client client(*this);
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn_until([&] { return server_->statistics().buffered_bytes > 0; }));
  bool stopped = false;
  server_->stop(Duration{5000}, [&] { stopped = true; });
  pass(Duration{4999});
  EXPECT_FALSE(stopped);
  pass(Duration{1});
  EXPECT_TRUE(turn_until([&] { return stopped; }));
  EXPECT_TRUE(client.closed_by_server());
}

TEST_F(HttpServer, may_be_destroyed_with_connections_in_every_state) {
  start();
  Client idle(*this);
  Client waiting(*this);
  Client streaming(*this);
  Client sending(*this);
  waiting.send(get("/wait"));
  streaming.send(get("/stream"));
  streaming.read_until("\r\n\r\n");
  sending.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  ASSERT_TRUE(turn_until([&] { return waiting_.has_value() && server_->statistics().connections == 4; }));
  server_.reset();
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_TRUE(waiting.closed_by_server());
  EXPECT_TRUE(interrupts_.empty());
  EXPECT_EQ(clock_.pending_timers(), 0u);
}

TEST_F(HttpServer, says_why_it_cannot_listen) {
  start();
  options_.port = server_->port();
  Server second(loop_, clock_, random_, options_, Router());
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "listen_failed");
  EXPECT_THAT(started.error().message, HasSubstr(std::to_string(options_.port)));
}

}  // namespace
}  // namespace ganglion::http

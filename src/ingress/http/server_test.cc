// The server on a real loopback socket, with a clock that only the test moves.

#include "ingress/http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>

#include "base/asio/asio.h"
#include "ingress/http/deadline_wheel.h"
#include "ingress/http/exchange.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct CountingRandom final : Random {
  std::uint64_t next() override { return ++state * 0x9E3779B97F4A7C15u; }
  std::uint64_t state = 0;
};

class HttpServer : public ::testing::Test {
 protected:
  HttpServer() { options_.port = 0; }

  // `/echo` answers at once, `/wait` when the test says so, `/stream` is an event stream in the test's hands.
  void start() {
    Router router;
    router.add(Method::post, "/echo", [](Request request, Responder responder) {
      responder.respond(Response::json(200, std::move(request.body)));
    });
    router.add(Method::get, "/hello/{name}", [](Request request, Responder responder) {
      responder.respond(Response::json(200, "hello " + request.parameters[0]));
    });
    router.add(Method::get, "/large", [](Request, Responder responder) {
      responder.respond(Response::json(200, std::string(16 * 1024 * 1024, 'x')));
    });
    router.add(Method::get, "/wait", [this](Request, Responder responder) {
      responder.on_interrupt([this](Interrupt why) {
        interrupts_.push_back(why);
        if (answer_interrupt_) waiting_->respond(Response::json(200, "interrupted"));
      });
      waiting_ = std::move(responder);
    });
    router.add(Method::get, "/stream", [this](Request, Responder responder) {
      responder.on_interrupt([this](Interrupt why) { interrupts_.push_back(why); });
      stream_ = responder.start_stream();
    });
    router.add(Method::get, "/held", [](Request, Responder responder) {
      const auto held = std::make_shared<Responder>(std::move(responder));
      held->on_interrupt([held](Interrupt) {});
    });
    router.add(Method::get, "/drop", [](Request, Responder) {});
    router.add(Method::get, "/throw", [](Request, Responder) { throw std::runtime_error("a defect"); });
    router.add(
        Method::get, "/open", [](Request, Responder responder) { responder.respond({}); }, Access::anyone);
    server_.emplace(loop_, clock_, random_, options_, std::move(router));
    server_->set_access_log([this](const AccessRecord& record) {
      log_.push_back(std::string(record.method) + " " + std::string(record.path) + " " +
                     std::to_string(record.status));
    });
    ASSERT_TRUE(server_->start());
  }

  // Turns both the loop and the clock's queue, until `done`; false if that takes too long in real time.
  template <typename Done>
  bool turn_until(Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > limit) return false;
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(1));
      clock_.run();
    }
    return true;
  }

  // Lets time pass, and the server react to it.
  void pass(Duration time) {
    loop_.restart();
    loop_.poll();
    clock_.advance(time);
    loop_.restart();
    loop_.poll();
  }

  class Client {
   public:
    explicit Client(HttpServer& test) : test_(test), socket_(test.loop_) {
      socket_.connect({asio::ip::address_v4::loopback(), test.server_->port()});
      socket_.non_blocking(true);
    }
    ~Client() { close(); }

    void send(std::string_view bytes) {
      ASSERT_TRUE(test_.turn_until([&] {
        boost::system::error_code error;
        bytes.remove_prefix(socket_.write_some(asio::buffer(bytes), error));
        return bytes.empty() || (error && error != asio::error::would_block);
      }));
    }
    void receive() {
      char piece[16 * 1024];
      boost::system::error_code error;
      const std::size_t size = socket_.read_some(asio::buffer(piece), error);
      received_.append(piece, size);
      if (error && error != asio::error::would_block) closed_ = true;
    }
    // Everything up to and including `end`, which is taken away.
    std::string read_until(std::string_view end) {
      std::size_t at = std::string::npos;
      const bool found = test_.turn_until([&] {
        at = received_.find(end);
        if (at == std::string::npos && !closed_) receive();
        return at != std::string::npos || closed_;
      });
      if (!found || at == std::string::npos) return "(not received) " + received_;
      const std::string text = received_.substr(0, at + end.size());
      received_.erase(0, at + end.size());
      return text;
    }
    // One response with Content-Length.
    std::string response() {
      const std::string head = read_until("\r\n\r\n");
      const std::size_t at = head.find("Content-Length: ");
      if (at == std::string::npos) return head;
      const std::size_t size = std::stoul(head.substr(at + 16));
      const bool whole = test_.turn_until([&] {
        receive();
        return received_.size() >= size || closed_;
      });
      const std::string body = received_.substr(0, size);
      received_.erase(0, size);
      return whole ? head + body : "(cut off) " + head;
    }
    bool closed_by_server() {
      return test_.turn_until([&] {
        receive();
        return closed_;
      });
    }
    void close() {
      boost::system::error_code ignored;
      socket_.close(ignored);
    }

    HttpServer& test_;
    LoopSocket socket_;
    std::string received_;
    bool closed_ = false;
  };

  static std::string get(std::string_view target, std::string_view headers = "") {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(headers) + "\r\n";
  }
  static std::string post(std::string_view body, std::string_view headers = "") {
    return "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n" + std::string(headers) + "\r\n" + std::string(body);
  }

  asio::io_context loop_;
  ganglion::testing::VirtualClock clock_;
  CountingRandom random_;
  Options options_;
  std::optional<Responder> waiting_;
  EventStream stream_;
  std::vector<Interrupt> interrupts_;
  bool answer_interrupt_ = false;
  std::vector<std::string> log_;
  std::optional<Server> server_;
};

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

// --- waiting
// ------------------------------------------------------------------------------------------------------

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

// --- streams
// ------------------------------------------------------------------------------------------------------

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

// --- limits
// -------------------------------------------------------------------------------------------------------

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

// --- the end
// ------------------------------------------------------------------------------------------------------

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

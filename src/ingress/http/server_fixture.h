#pragma once

// For tests: the server on a real loopback socket, with a clock that only the test moves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/asio/asio.h"
#include "ingress/http/deadline_wheel.h"
#include "ingress/http/exchange.h"
#include "ingress/http/server.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::http {

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

}  // namespace ganglion::http

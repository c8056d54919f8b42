#pragma once

// For tests: the whole API over a real coordinator, pool and project parser, a store in memory and a clock
// that only the test moves, asked over a loopback socket. Every answer is held against openapi.json.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/memory/store.h"
#include "agents/pool.h"
#include "base/asio/asio.h"
#include "coordinator/coordinator.h"
#include "coordinator/event_log.h"
#include "coordinator/event_router.h"
#include "coordinator/sessions.h"
#include "ingress/api.h"
#include "ingress/http/router.h"
#include "ingress/http/server.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::ingress {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  boost::json::value json() const { return boost::json::parse(body); }
  std::string code() const { return std::string(json().at("code").as_string()); }
};

// Checks answers against the reference: status, media type, schema.
class Reference {
 public:
  Reference();
  // A failure of the test if the reference doesn't know the answer.
  void check(const std::string& method, const std::string& route, const Answer& answer) const;
  // "GET /v1/runs", for every operation.
  std::vector<std::string> operations() const;

 private:
  boost::json::object document_;
};

class ApiTest : public ::testing::Test {
 protected:
  // A connection of its own.
  class Connection {
   public:
    explicit Connection(ApiTest& test);
    void send(const std::string& method, const std::string& target, const std::string& body = "",
              const std::vector<std::string>& headers = {});
    // The answer to what was sent; checked against the reference.
    Answer receive();
    // What has come so far of a stream, until `end` has.
    std::string read_until(const std::string& end);
    void close();

   private:
    bool read_some();

    ApiTest& test_;
    LoopSocket socket_;
    std::string method_;
    std::string target_;
    std::string received_;
    bool closed_ = false;
  };

  ApiTest();
  ~ApiTest() override;

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             const std::vector<std::string>& headers = {});
  Answer get(const std::string& target) { return ask("GET", target); }
  Answer post(const std::string& target, const std::string& body,
              const std::vector<std::string>& headers = {}) {
    return ask("POST", target, body, headers);
  }

  // Puts the test's project (see api_fixture.cc) and starts a run of `workflow`; gives its id.
  void put_project();
  void put_project(const std::string& yaml);
  std::string start(const std::string& workflow = "echo", const std::string& input = "{}");
  // Takes one task of `agent` and gives it; null if there is none.
  boost::json::value take(const std::string& agent);
  std::string succeed(const boost::json::value& task, const std::string& output);
  // Reports a result; `rest` is what stands beside the token.
  std::string report(const boost::json::value& task, const std::string& rest);
  boost::json::value run(const std::string& id) { return get("/v1/runs/" + id).json(); }
  std::string status(const std::string& id) { return std::string(run(id).at("status").as_string()); }
  Answer put(const std::string& target, const std::string& body,
             const std::vector<std::string>& headers = {}) {
    return ask("PUT", target, body, headers);
  }

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
  // Lets everything happen that can happen now, then moves the clock.
  void pass(Duration time);

  struct CountingRandom final : Random {
    std::uint64_t next() override { return ++state * 0x9E3779B97F4A7C15u; }
    std::uint64_t state = 0;
  };

  asio::io_context loop_;
  ganglion::testing::VirtualClock clock_;
  CountingRandom random_;
  memory::Store store_{clock_};
  Definitions definitions_;
  agents::Pool pool_;
  Sessions sessions_{store_, clock_};
  EventLog events_{store_, clock_};
  Coordinator coordinator_;
  EventRouter event_router_{store_, clock_, events_, coordinator_, definitions_};
  Api api_;
  std::vector<std::string> routes_;
  std::optional<http::Server> server_;
  Reference reference_;
};

}  // namespace ganglion::ingress

#pragma once

// A connection that comes back. Finds the server, connects, greets it; when the connection is lost or refuses
// what it is for, waits a moment and begins anew, for as long as it lives. What was sent and not answered is
// the business of whoever sent it: `lost` says that no answer will come, `ready` that it can be sent again.
//
// States: looking (the locator, then the connection, then the greeting are at work, bounded in time) → ready
// → waiting (a growing pause) → looking …

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/redis/connection.h"
#include "adapters/redis/greeting.h"
#include "adapters/redis/locator.h"

namespace ganglion::redis {

class Link {
 public:
  struct Events {
    std::function<void(const Greeted&)> ready;
    std::function<void()> lost;
    // The server can't be used as things are; it is tried again all the same.
    std::function<void(const GreetingFailure&)> failed;
    // Several times a second, for deadlines.
    std::function<void()> tick;
  };

  // `context` and `url` must outlive it. A server that is silent for longer than `silence` is given up.
  Link(boost::asio::io_context& context, const Url& url, std::chrono::milliseconds silence);
  // Nothing is called any more.
  ~Link();

  void start(Events events);

  bool ready() const { return ready_; }
  // Only when ready.
  void send(std::string_view bytes, Connection::Answer answer);
  // Only when ready, and instead of `send` from then on: see Connection.
  void hear(std::function<void(Reply)> heard);
  void say(std::string_view bytes);
  // The server doesn't do what it is asked: begins anew. MOVED is followed.
  void drop(const std::string& reason);

  // Who we are for the server, for as long as this process lives.
  const std::string& writer() const { return writer_; }
  // The last write call whose answer has come.
  std::int64_t acknowledged() const { return acknowledged_; }
  void acknowledge(std::int64_t number) { acknowledged_ = number; }

  // Why it isn't ready.
  const std::string& problem() const { return problem_; }
  const std::optional<ServerSettings>& settings() const { return settings_; }

 private:
  struct Timers;
  using Steady = std::chrono::steady_clock;

  void look();
  void connect(const Address& address);
  void greet();
  void greeted(std::expected<Greeted, GreetingFailure> result);
  void try_again(const std::string& problem);
  void wait();
  void tick();
  void renew();

  boost::asio::io_context& context_;
  const Url& url_;
  const std::chrono::milliseconds silence_;
  const std::string writer_;
  std::int64_t acknowledged_ = 0;
  Events events_;
  Locator locator_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Greeting> greeting_;
  bool ready_ = false;
  bool hears_ = false;
  std::chrono::milliseconds pause_;
  Steady::time_point began_;    // to connect
  Steady::time_point greeted_;  // the last time
  std::string problem_ = "not connected yet";
  std::optional<ServerSettings> settings_;
  std::unique_ptr<Timers> timers_;
};

}  // namespace ganglion::redis

#pragma once

// A connection that comes back: connects, and when the connection is lost, waits a moment and begins anew,
// for as long as it lives. Subscriptions die with the connection: `ready` is when to make them.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "adapters/nats/connection.h"

namespace ganglion::nats {

class Link {
 public:
  struct Events {
    std::function<void()> ready;
    std::function<void()> lost;
    // Several times a second, for deadlines.
    std::function<void()> tick;
    Connection::Handler stray;
  };

  // `context` and `url` must outlive it. A server that is silent for longer than `silence` is given up.
  Link(boost::asio::io_context& context, const Url& url, std::chrono::milliseconds silence);
  // Nothing is called any more.
  ~Link();

  void start(Events events);

  bool ready() const { return ready_; }
  // Only when ready; another one after the next `ready`.
  Connection& connection() { return *connection_; }

  // Why it isn't ready, or what the server doesn't do for us.
  std::string problem() const;
  // Whether the server has refused us.
  bool refused() const { return ended_.refused; }
  // Of the last connection.
  const ServerInfo& info() const { return info_; }

 private:
  struct Timers;
  using Steady = std::chrono::steady_clock;

  void connect();
  void opened();
  void try_again(Connection::Ended ended);
  void tick();
  void stay_alive();

  boost::asio::io_context& context_;
  const Url& url_;
  const std::chrono::milliseconds silence_;
  Events events_;
  std::unique_ptr<Connection> connection_;
  bool ready_ = false;
  bool pinging_ = false;
  std::chrono::milliseconds pause_;
  Steady::time_point began_;  // to connect
  Connection::Ended ended_{.reason = "not connected yet"};
  ServerInfo info_;
  std::unique_ptr<Timers> timers_;
};

}  // namespace ganglion::nats

#pragma once

// A connection that comes back: connects to the hosts in turn, and when the connection is lost, waits a
// moment and begins anew, for as long as it lives. Channels die with the connection: `ready` is when to make
// them.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "adapters/rabbitmq/connection.h"

namespace ganglion::rabbitmq {

class Link {
 public:
  struct Events {
    std::function<void()> ready;
    std::function<void()> lost;
    std::function<void(bool)> blocked = [](bool) {};
    // Several times a second, for deadlines.
    std::function<void()> tick;
  };

  // `context` and `url` must outlive it. A broker that is silent for longer than `silence` is given up.
  Link(boost::asio::io_context& context, const Url& url, std::chrono::milliseconds silence);
  // Nothing is called any more.
  ~Link();

  void start(Events events);

  bool ready() const { return ready_; }
  // Only when ready; another one after the next `ready`.
  Connection& connection() { return *connection_; }
  // The broker doesn't do what it is asked: begins anew.
  void drop(const std::string& reason) { try_again({.reason = reason}); }

  // Why it isn't ready, and whether the broker has refused it.
  const Connection::Ended& problem() const { return problem_; }

 private:
  struct Timers;
  using Steady = std::chrono::steady_clock;

  void connect();
  void opened();
  void try_again(Connection::Ended problem);
  void tick();

  boost::asio::io_context& context_;
  const Url& url_;
  const std::chrono::milliseconds silence_;
  Events events_;
  std::unique_ptr<Connection> connection_;
  std::size_t next_host_ = 0;
  bool ready_ = false;
  std::chrono::milliseconds pause_;
  Steady::time_point began_;  // to connect
  Connection::Ended problem_{.reason = "not connected yet"};
  std::unique_ptr<Timers> timers_;
};

}  // namespace ganglion::rabbitmq

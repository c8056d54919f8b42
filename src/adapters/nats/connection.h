#pragma once

// One connection to one NATS server, on the event loop: introduces itself, subscribes, publishes. What is
// sent in one turn of the loop, and while the socket is busy, is one write. It never comes back once it has
// ended: whoever holds it makes another one.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/nats/handshake.h"
#include "adapters/nats/protocol.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::nats {

class Connection {
 public:
  using Handler = std::function<void(const Incoming&)>;

  struct Ended {
    std::string reason;
    bool refused = false;  // by a server that knows us not, or can't carry a bus: waiting won't help
  };
  struct Events {
    std::move_only_function<void()> opened;
    // Once, when the connection could not be made or was lost. Nothing is called after it.
    std::move_only_function<void(Ended)> ended;
    // A message for a subscription that is no more.
    Handler stray;
  };

  // Both must outlive it.
  Connection(boost::asio::io_context& context, const Url& url);
  // Nothing is called any more, also not what is due.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void open(Events events);

  // The following only after `opened`; once it has ended they do nothing.

  // Of those that subscribe with the same `group`, one gets a message; empty for everybody.
  SubscriptionId subscribe(std::string_view subject, Handler handler, std::string_view group = {});
  // The handler isn't called any more.
  void unsubscribe(SubscriptionId subscription);
  // Headers and body together fit into `max_payload`, or the server ends the connection.
  void publish(std::string_view subject, std::string_view reply, std::string_view headers,
               std::string_view body);
  // `done` runs when the server has dealt with everything before.
  void round_trip(std::move_only_function<void()> done);

  // The beginning of subjects on which only this connection is answered.
  const std::string& inbox() const;
  const ServerInfo& info() const;
  // What the server said last that it doesn't like; empty where nothing.
  const std::string& complaint() const;
  // Bytes that the socket hasn't taken yet.
  std::size_t backlog() const;
  // How long nothing has been heard.
  std::chrono::milliseconds silence() const;

 private:
  class Stream;
  std::shared_ptr<Stream> stream_;
};

}  // namespace ganglion::nats

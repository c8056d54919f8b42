#pragma once

// One connection to one RabbitMQ, on the event loop: greets, keeps it alive with heartbeats, and carries
// channels. What is sent is gathered while the socket is busy, so that many small frames are one write. It
// never comes back once it has ended: whoever holds it makes another one.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "adapters/rabbitmq/frames.h"
#include "adapters/rabbitmq/url.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::rabbitmq {

// A method from the broker; what it points to lives as long as the call that brings it.
struct Incoming {
  amqp_method_number_t method;
  const void* arguments;       // the method's struct of librabbitmq
  Content* content = nullptr;  // of those that carry a message

  template <typename Arguments>
  const Arguments& as() const {
    return *static_cast<const Arguments*>(arguments);
  }
};

class Connection {
 public:
  // Also hears AMQP_CHANNEL_CLOSE_METHOD when the broker closes the channel, as the last thing.
  using Handler = std::function<void(const Incoming&)>;

  struct Ended {
    std::string reason;
    bool refused = false;  // by a broker that knows us or the virtual host not: waiting won't help
  };
  struct Events {
    std::move_only_function<void()> opened;
    // Once, when the connection could not be made or was lost. Nothing is called after it.
    std::move_only_function<void(Ended)> ended;
    // The broker takes no publications for now, or takes them again.
    std::function<void(bool)> blocked;
  };

  // Both must outlive it.
  Connection(boost::asio::io_context& context, const Url& url);
  // Nothing is called any more, also not what is due.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A broker that is silent for longer than `silence` will be taken for dead by the caller; it is asked to
  // give a sign of life often enough.
  void open(const HostPort& host, std::chrono::milliseconds silence, Events events);

  // The following only after `opened`; once it has ended they do nothing.

  // A new channel, opened; 0 where there are too many.
  Channel open_channel(Handler handler);
  // The handler isn't called any more.
  void close_channel(Channel channel);
  template <typename Arguments>
  void send(Channel channel, amqp_method_number_t method, const Arguments& arguments) {
    std::string bytes;
    append_method(bytes, channel, method, arguments);
    write(bytes);
  }
  // Whole frames.
  void write(std::string_view frames);
  // Bytes that the socket hasn't taken yet.
  std::size_t backlog() const;
  std::size_t frame_max() const;

  // Sends a sign of life where one is due.
  void tick();
  // How long nothing has been heard.
  std::chrono::milliseconds silence() const;

 private:
  class Stream;
  std::shared_ptr<Stream> stream_;
};

}  // namespace ganglion::rabbitmq

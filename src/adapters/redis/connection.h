#pragma once

// One connection to one Redis server, on the event loop. Commands are sent in the order in which they are
// given, without waiting for answers, and answered in that order. It never comes back once it has ended:
// whoever holds it makes another one.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/redis/reply.h"
#include "adapters/redis/url.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::redis {

class Connection {
 public:
  using Answer = std::move_only_function<void(Reply)>;

  // `context` must outlive it.
  explicit Connection(boost::asio::io_context& context);
  // Nothing is called any more, also not what is due.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `ended` is called once, when the connection could not be made or was lost, with the reason; answers that
  // haven't come by then never come.
  void open(const Address& address, std::move_only_function<void()> connected,
            std::move_only_function<void(std::string)> ended);
  // `bytes` are one whole command. Only after `connected`; one that has ended drops it.
  void send(std::string_view bytes, Answer answer);

  // How long answers have been due without any coming.
  std::chrono::milliseconds silence() const;

 private:
  class Stream;
  std::shared_ptr<Stream> stream_;
};

}  // namespace ganglion::redis

#pragma once

// The HTTP/1.1 server: one listening socket, one coroutine per connection, everything on the loop's thread.
//
// It owns connections, deadlines and limits; what requests mean is the router's. Slow, silent, greedy and
// broken clients end in a bounded time with a bounded amount of memory (Options has each bound) and don't
// touch the others. It never fails once it runs: a connection's trouble ends that connection, and running out
// of descriptors pauses accepting.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ingress/http/options.h"
#include "ingress/http/router.h"
#include "ports/clock.h"
#include "ports/random.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::http {

// One line of the access log; the views live for the call.
struct AccessRecord {
  std::string_view method;  // "?" if it is none that the server knows or could read
  std::string_view path;    // without the query, at most 256 bytes
  std::string_view route;   // the pattern; empty if none matched
  std::string_view request_id;
  int status = 0;         // 499: the client had gone before the answer
  std::size_t bytes = 0;  // of the answer's body
  Duration duration{};    // from the end of the head to the end of the answer
};
using AccessLog = std::function<void(const AccessRecord&)>;

struct Statistics {
  std::size_t connections = 0;     // open now
  std::size_t waiting = 0;         // requests without an answer yet, now
  std::size_t streams = 0;         // event streams, now
  std::size_t buffered_bytes = 0;  // of unfinished requests, now
  std::uint64_t accepted = 0;      // connections, ever
  std::uint64_t turned_away = 0;   // connections beyond the maximum, ever
  std::uint64_t answers[6] = {};   // ever, by the status's first digit; [0] clients that had gone
};

class Server {
 public:
  // `loop`, `clock` and `random` outlive the server. Options must be valid.
  Server(boost::asio::io_context& loop, Clock& clock, Random& random, Options options, Router router);
  // Closes everything at once; handlers are not called any more.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void set_access_log(AccessLog log);

  // Binds, listens and starts to accept. Errors: what `validate` finds, and `listen_failed`.
  Result<void> start();
  // The port that it listens on, also when Options::port is 0.
  std::uint16_t port() const;

  // Drains: accepts nothing new, closes idle connections, interrupts requests that wait, lets the others
  // finish, and closes what is left after `grace`. Then calls `done`, from the loop. Once.
  void stop(Duration grace, std::move_only_function<void()> done);

  Statistics statistics() const;

 private:
  std::shared_ptr<struct ServerCore> core_;
};

}  // namespace ganglion::http

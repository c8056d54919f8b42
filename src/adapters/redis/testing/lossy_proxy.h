#pragma once

// A wire between a store and its server that loses answers: what is asked arrives, and the connection breaks
// when the answer comes back. On the test's event loop.

#include <memory>
#include <string>

#include "servers/port_lease.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::redis::testing {

class LossyProxy {
 public:
  LossyProxy(boost::asio::io_context& context, std::uint16_t server_port);
  ~LossyProxy();

  // A URL to it.
  std::string url() const;
  // The next thing that the server answers is lost, and its connection with it. The one after the next, where
  // `after` is 1, and so on.
  void lose_an_answer(int after = 0);
  int lost() const;

 private:
  class Wires;
  ganglion::testing::PortLease port_;
  std::shared_ptr<Wires> wires_;
};

}  // namespace ganglion::redis::testing

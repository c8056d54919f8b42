#pragma once

// A wire between a client and its server that can be cut: connections break, further ones are refused, until
// it is mended. On the test's event loop.

#include <cstdint>
#include <memory>

#include "servers/port_lease.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::testing {

class Wire {
 public:
  // Both outlive it.
  Wire(boost::asio::io_context& context, std::uint16_t server_port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  std::uint16_t port() const { return port_.port(); }
  void cut();
  void mend();

 private:
  class Strands;
  boost::asio::io_context& context_;
  const std::uint16_t server_port_;
  PortLease port_;
  std::shared_ptr<Strands> strands_;
};

}  // namespace ganglion::testing

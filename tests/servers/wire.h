#pragma once

// A wire between a client and its server that can be cut: connections break, further ones are refused, until
// it is mended. On the test's event loop.

#include <cstdint>
#include <memory>
#include <optional>

#include "servers/port_lease.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::testing {

class Wire {
 public:
  // `context` and the server outlive it.
  Wire(boost::asio::io_context& context, std::uint16_t server_port);
  // Its clients' end is at a port that somebody else has leased.
  Wire(boost::asio::io_context& context, std::uint16_t server_port, std::uint16_t port);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  std::uint16_t port() const { return port_; }
  void cut();
  void mend();

 private:
  class Strands;
  boost::asio::io_context& context_;
  const std::uint16_t server_port_;
  std::optional<PortLease> lease_;
  const std::uint16_t port_;
  std::shared_ptr<Strands> strands_;
};

}  // namespace ganglion::testing

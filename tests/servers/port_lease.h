#pragma once

// A loopback port that one test has for itself. Ports lie below the range from which the system takes the
// ports of outgoing connections: a client that tries to reach a server that is down can't meet itself there,
// and nobody takes the port while its server is restarted. Other test programs see the lock of a file, which
// goes with the process.

#include <cstdint>

namespace ganglion::testing {

class PortLease {
 public:
  PortLease();
  ~PortLease();
  PortLease(PortLease&& other) noexcept;
  PortLease& operator=(PortLease&&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int lock_ = -1;
};

}  // namespace ganglion::testing

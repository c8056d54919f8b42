#include "servers/port_lease.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <utility>

#include "base/assert.h"

namespace ganglion::testing {
namespace {

// Below the 32768 at which Linux begins to give out ports.
constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kPorts = 12'000;

bool is_free(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return bound;
}

// The lock's descriptor, or -1 where another test has the port.
int lock_port(std::uint16_t port) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "ganglion-test-ports";
  // Tests of several users share it.
  if (::mkdir(folder.c_str(), 0700) == 0) ::chmod(folder.c_str(), 0777);
  const int lock = ::open((folder / std::to_string(port)).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock >= 0 && ::flock(lock, LOCK_EX | LOCK_NB) == 0) return lock;
  if (lock >= 0) ::close(lock);
  return -1;
}

}  // namespace

PortLease::PortLease() {
  const unsigned start = std::random_device()();
  for (unsigned i = 0; i < kPorts; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + (start + i) % kPorts);
    const int lock = lock_port(port);
    if (lock < 0) continue;
    if (is_free(port)) {
      port_ = port;
      lock_ = lock;
      return;
    }
    ::close(lock);
  }
  GANGLION_ASSERT(!"no loopback port is free");
}

PortLease::~PortLease() {
  if (lock_ >= 0) ::close(lock_);
}

PortLease::PortLease(PortLease&& other) noexcept
    : port_(other.port_), lock_(std::exchange(other.lock_, -1)) {}

}  // namespace ganglion::testing

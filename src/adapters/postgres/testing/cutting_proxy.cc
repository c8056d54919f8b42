#include "adapters/postgres/testing/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/assert.h"

namespace ganglion::testing {
namespace {

// As it stands in a Bind message: the nameless portal, then the statement's name.
constexpr std::string_view kBindCommit("\0commit\0", 8);

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string_view receive(int socket, std::array<char, 65536>& buffer) {
  const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
  return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

}  // namespace

CuttingProxy::CuttingProxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  GANGLION_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  GANGLION_ASSERT(::listen(listener_, SOMAXCONN) == 0);
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_clients(); });
}

CuttingProxy::~CuttingProxy() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  cut_all();
  for (std::thread& passer : passers_) passer.join();
  ::close(listener_);
}

void CuttingProxy::cut_all() {
  const std::lock_guard lock(mutex_);
  for (const int client : clients_) ::shutdown(client, SHUT_RDWR);
}

void CuttingProxy::accept_clients() {
  while (!stopping_) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    clients_.push_back(client);
    passers_.emplace_back([this, client] { pass(client); });
  }
}

void CuttingProxy::pass(int client) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(server_port_);
  bool open = ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  std::array<char, 65536> buffer;
  while (open) {
    std::array<pollfd, 2> ready = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    ::poll(ready.data(), ready.size(), -1);
    if (ready[1].revents != 0) {
      const std::string_view bytes = receive(server, buffer);
      open = !bytes.empty() && send_all(client, bytes);
    }
    if (open && ready[0].revents != 0) open = pass_to_server(client, server);
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase(clients_, client);
  }
  ::close(server);
  ::close(client);
}

bool CuttingProxy::pass_to_server(int client, int server) {
  std::array<char, 65536> buffer;
  const std::string_view bytes = receive(client, buffer);
  if (bytes.empty()) return false;
  const Cut cut = bytes.contains(kBindCommit) ? next_cut_.exchange(Cut::never) : Cut::never;
  if (cut == Cut::before_commit) return false;
  if (!send_all(server, bytes)) return false;
  if (cut == Cut::never) return true;
  // The server answers once the commit is durable.
  std::array<char, 65536> answer;
  receive(server, answer);
  return false;
}

}  // namespace ganglion::testing

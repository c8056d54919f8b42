#pragma once

// rabbitmq-server of Debian 12 (package rabbitmq-server, 3.10), without plugins. It has its names' daemon to
// itself, so that nodes of several tests don't meet. It takes some seconds to start: one a test program.

#include <string>
#include <vector>

#include "servers/server_process.h"

namespace ganglion::testing {

class RabbitServer {
 public:
  // Debian's /usr/sbin/rabbitmq-server insists on an account and on folders of the system; this is what it
  // runs.
  static constexpr const char* kProgram = "/usr/lib/rabbitmq/bin/rabbitmq-server";

  // Starts it.
  RabbitServer();

  // `amqp://guest:guest@127.0.0.1:PORT`
  std::string url() const { return url_at(port()); }
  // The same through something that listens at another port.
  static std::string url_at(std::uint16_t port);
  std::uint16_t port() const { return process_.port(); }
  ServerProcess& process() { return process_; }

  // rabbitmqctl with these words; takes a second or two. Whether it succeeded.
  bool control(const std::vector<std::string>& words);

 private:
  std::vector<std::string> environment(std::uint16_t port, const std::filesystem::path& folder) const;

  ServerProcess names_;  // epmd, where Erlang's nodes find each other
  PortLease distribution_port_;
  ServerProcess process_;
};

}  // namespace ganglion::testing

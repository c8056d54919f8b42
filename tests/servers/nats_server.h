#pragma once

// nats-server of Debian 12 (package nats-server, 2.9) with JetStream, as a test wants it. The test's own
// words to it go through libnats, which is not what the adapter speaks with.

#include <string>
#include <string_view>
#include <vector>

#include "servers/server_process.h"

namespace ganglion::testing {

struct NatsOptions {
  std::string max_payload = "8MB";
  // What JetStream may write; empty for no JetStream.
  std::string max_file_store = "64MB";
  // Further lines of the configuration, such as "authorization { token: secret }".
  std::vector<std::string> lines = {};
};

class NatsServer {
 public:
  static constexpr const char* kProgram = "nats-server";

  // Starts it.
  explicit NatsServer(NatsOptions options = {});

  // `nats://127.0.0.1:PORT`
  std::string url() const;
  std::uint16_t port() const { return process_.port(); }
  ServerProcess& process() { return process_; }

  // Stops it and starts it again without anything that it had.
  void wipe();
  // Asks, on a connection of its own, and gives the answer's text; "-" and why where there is none.
  std::string request(const std::string& subject, std::string_view body = {}) const;

 private:
  ServerProcess process_;
};

}  // namespace ganglion::testing

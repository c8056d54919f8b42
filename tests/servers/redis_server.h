#pragma once

// redis-server of Debian 12 (package redis-server, 7.0), as a test wants it: durable by default.

#include <string>
#include <vector>

#include "servers/server_process.h"

namespace ganglion::testing {

struct RedisOptions {
  std::string appendonly = "yes";
  std::string appendfsync = "always";
  std::string maxmemory_policy = "noeviction";
  std::string save = "";
  // Further arguments, such as {"--maxmemory", "20mb"}.
  std::vector<std::string> arguments = {};
  // Lines of a sentinel's file: then it runs as one, and nothing else counts.
  std::vector<std::string> sentinel = {};
};

class RedisServer {
 public:
  static constexpr const char* kProgram = "redis-server";

  // Starts it.
  explicit RedisServer(RedisOptions options = {});

  // After a start it takes connections while it still reads its file; this returns when it has.
  void await_loaded() const;

  // `redis://127.0.0.1:PORT`
  std::string url() const;
  std::string address() const;  // 127.0.0.1:PORT
  std::uint16_t port() const { return process_.port(); }
  // At which the nodes of a cluster talk to each other.
  std::uint16_t bus_port() const { return bus_port_.port(); }
  ServerProcess& process() { return process_; }
  const ServerProcess& process() const { return process_; }

  // Sends one command on a connection of its own and gives the answer as text: arrays one element a line, an
  // error begins with '-'. Without a server the answer is "-unreachable".
  std::string command(const std::vector<std::string>& words) const;

 private:
  PortLease bus_port_;  // of a cluster's node
  ServerProcess process_;
};

}  // namespace ganglion::testing

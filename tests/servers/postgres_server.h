#pragma once

// PostgreSQL of Debian 12 (package postgresql-15), as a test wants it: a cluster of its own, in which anybody
// on the loopback is the superuser "ganglion".

#include <string>
#include <vector>

#include "servers/server_process.h"

namespace ganglion::testing {

struct PostgresOptions {
  std::string fsync = "on";
  // Further settings, such as {"max_connections=10"}.
  std::vector<std::string> settings = {};
};

class PostgresServer {
 public:
  static constexpr const char* kProgram = "/usr/lib/postgresql/15/bin/postgres";

  // Makes the cluster and starts it.
  explicit PostgresServer(PostgresOptions options = {});

  // `postgres://ganglion@127.0.0.1:PORT/postgres`
  std::string url() const;
  std::uint16_t port() const { return process_.port(); }
  ServerProcess& process() { return process_; }

  // SIGKILL to every process of the server at once, as when the machine is switched off; returns when all of
  // them are gone.
  void crash();
  // Asks it to end at once, cutting every connection ("immediate" shutdown is crash(); this is "fast").
  void stop() { process_.stop(); }
  // Until it takes statements again.
  void start();

  // Runs one statement on a connection of its own and gives the first column of its rows, one a line; an
  // error begins with '-'. Without a server the answer is "-unreachable".
  std::string query(const std::string& sql) const;

 private:
  ServerProcess process_;
};

}  // namespace ganglion::testing

#include "servers/postgres_server.h"

#include <libpq-fe.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

#include "base/assert.h"

namespace ganglion::testing {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* kInitdb = "/usr/lib/postgresql/15/bin/initdb";
constexpr const char* kAccount = "postgres";  // the server refuses to run as root
constexpr auto kTimeToRecover = std::chrono::seconds(30);
constexpr auto kPoll = std::chrono::milliseconds(5);

std::string data_folder(const std::filesystem::path& folder) {
  return (folder / "data").string();
}

ServerOptions server_options(PostgresOptions options) {
  return {.command =
              [options = std::move(options)](std::uint16_t port, const std::filesystem::path& folder) {
                std::vector<std::string> settings = {
                    "listen_addresses=127.0.0.1", "unix_socket_directories=", "port=" + std::to_string(port),
                    "fsync=" + options.fsync, "shared_buffers=32MB", "max_connections=60",
                    "autovacuum_naptime=5s",
                    // Not a thousand files one by one after a crash.
                    "recovery_init_sync_method=syncfs"};
                settings.insert(settings.end(), options.settings.begin(), options.settings.end());
                std::vector<std::string> command{PostgresServer::kProgram, "-D", data_folder(folder)};
                for (const std::string& setting : settings) command.insert(command.end(), {"-c", setting});
                return command;
              },
          .account = kAccount,
          // "Fast" shutdown: it doesn't wait for clients to leave.
          .stop_signal = SIGINT};
}

std::vector<pid_t> children_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

}  // namespace

PostgresServer::PostgresServer(PostgresOptions options) : process_(server_options(std::move(options))) {
  const int made =
      process_.run({kInitdb, "--pgdata", data_folder(process_.folder()), "--username", "ganglion", "--auth",
                    "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"});
  if (made != 0) std::fprintf(stderr, "%s\n", process_.output().c_str());
  GANGLION_ASSERT(made == 0);
  start();
}

std::string PostgresServer::url() const {
  return "postgres://ganglion@127.0.0.1:" + std::to_string(port()) + "/postgres";
}

// Its processes have groups of their own, so a kill of the server's group alone would leave them to end in
// their own time.
void PostgresServer::crash() {
  const std::vector<pid_t> children = children_of(process_.pid());
  process_.kill();
  for (const pid_t child : children) ::kill(child, SIGKILL);
  for (const pid_t child : children) {
    while (::kill(child, 0) == 0) std::this_thread::sleep_for(kPoll);
  }
}

void PostgresServer::start() {
  process_.start();
  const auto end = Steady::now() + kTimeToRecover;
  while (query("SELECT 1") != "1") {
    if (Steady::now() >= end) std::fprintf(stderr, "%s\n", process_.output().c_str());
    GANGLION_ASSERT(Steady::now() < end);
    std::this_thread::sleep_for(kPoll);
  }
}

std::string PostgresServer::query(const std::string& sql) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url().c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return "-unreachable";
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
    return "-" + std::string(PQresultErrorMessage(result.get()));
  std::string rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    if (row > 0) rows += '\n';
    rows += PQgetvalue(result.get(), row, 0);
  }
  return rows;
}

}  // namespace ganglion::testing

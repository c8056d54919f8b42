#include "cli/connection.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace ganglion::cli {
namespace {

constexpr std::string_view kSqlite = "sqlite:";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::string path_of(const std::string& store) {
  return store.starts_with(kSqlite) ? store.substr(kSqlite.size()) : store;
}

bool store_exists(const std::string& store) {
  std::error_code error;
  return !store.starts_with(kSqlite) || std::filesystem::exists(path_of(store), error);
}

// The address that the process which holds the store has left there.
std::optional<std::string> endpoint_beside(const std::string& store) {
  std::ifstream file(path_of(store) + ".endpoint");
  std::string url;
  if (!std::getline(file, url) || url.empty()) return std::nullopt;
  return url;
}

Connection server_at(Where where, const std::string& url) {
  return {.where = where, .host = nullptr, .api = std::make_unique<Api>(url, environment("GANGLION_TOKEN"))};
}

}  // namespace

Failure failure_of_host(const Error& error, const std::string& store) {
  if (error.code == "invalid_project" || error.code == "unreadable_project" ||
      error.code == "project_too_large" || error.code == "token_needed" || error.code == "unknown_store" ||
      error.code == "no_bus" || error.code == "unknown_bus" || error.code == "invalid_audit") {
    return {ExitCode::usage, error.message};
  }
  if (error.code == "store_locked") {
    return {ExitCode::unreachable, "another process holds " + store + ": " + error.message};
  }
  return {ExitCode::unreachable, error.message};
}

std::optional<std::string> project_file(const std::optional<std::string>& named) {
  std::error_code error;
  if (!named && std::filesystem::exists(kDefaultProject, error)) return kDefaultProject;
  return named;
}

Outcome<Connection> connect(const ConnectOptions& options, const HostFactory& make_host) {
  const std::optional<std::string> named =
      options.target.server ? options.target.server : environment("GANGLION_SERVER");
  if (named) return server_at(Where::named_server, *named);
  const std::string& store = options.target.store;
  if (!options.create_store && !store_exists(store)) {
    return give_up(ExitCode::unreachable,
                   "there is no store at " + path_of(store) +
                       "; name it with --store, a server with --server, or begin with `ganglion run`");
  }
  // Who only looks copies nothing: the outbox in the store keeps what such a process commits.
  const bool works = options.agents == AgentsRole::on;
  HostOptions host_options{.store = store,
                           .audit = works ? environment("GANGLION_AUDIT") : std::nullopt,
                           .project_file = options.project_file,
                           .token = std::nullopt,
                           .agents = options.agents,
                           .on_worker_output = options.on_worker_output,
                           .on_log = options.on_log};
  auto host = make_host(std::move(host_options));
  if (host) {
    const std::string url = (*host)->url();
    return Connection{
        .where = Where::here, .host = *std::move(host), .api = std::make_unique<Api>(url, std::nullopt)};
  }
  if (host.error().code == "store_locked") {
    if (const auto url = endpoint_beside(store)) return server_at(Where::holder_of_store, *url);
  }
  return std::unexpected(failure_of_host(host.error(), store));
}

Outcome<Connection> connect_to(const Target& target, const HostFactory& make_host) {
  return connect(
      {.target = target, .agents = AgentsRole::off, .project_file = {}, .on_worker_output = {}, .on_log = {}},
      make_host);
}

Outcome<Connection> connect_to_holder(const Target& target) {
  if (const auto url = endpoint_beside(target.store)) return server_at(Where::holder_of_store, *url);
  return give_up(ExitCode::unreachable, "no process holds the store " + target.store);
}

std::string target_arguments(const Target& target) {
  if (target.server) return " --server " + *target.server;
  return target.store == default_store() ? "" : " --store " + target.store;
}

}  // namespace ganglion::cli

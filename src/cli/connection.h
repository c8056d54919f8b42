#pragma once

// Which engine a command talks to: the server that is named (--server, then GANGLION_SERVER), else whoever
// holds the store, who leaves its address beside it, else an engine in this process on that store.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/api.h"
#include "cli/command_line.h"
#include "cli/failure.h"
#include "cli/host.h"

namespace ganglion::cli {

enum class Where { named_server, holder_of_store, here };

struct Connection {
  Where where;
  std::unique_ptr<Host> host;  // where it is here
  std::unique_ptr<Api> api;
};

struct ConnectOptions {
  Target target;
  AgentsRole agents = AgentsRole::off;
  // For an engine here: becomes the active project.
  std::optional<std::string> project_file;
  // Whether there may be a new store; else a store that doesn't exist is an error.
  bool create_store = false;
  std::function<void(const std::string& worker, const std::string& line)> on_worker_output;
  std::function<void(const std::string& json_line)> on_log;
};

Outcome<Connection> connect(const ConnectOptions& options, const HostFactory& make_host);

// As `connect` for a command that only asks or says something: an engine here does no work.
Outcome<Connection> connect_to(const Target& target, const HostFactory& make_host);
// The process that says it holds the store, without a try to hold it here.
Outcome<Connection> connect_to_holder(const Target& target);

// `--server …` or `--store …` as somebody must repeat them in a further command, after a blank; empty where
// the defaults will do.
std::string target_arguments(const Target& target);

// Also for `serve`: what an engine that couldn't be made means to the user.
Failure failure_of_host(const Error& error, const std::string& store);

// The project file that is meant: the named one, else ganglion.yaml if it is there.
std::optional<std::string> project_file(const std::optional<std::string>& named);

}  // namespace ganglion::cli

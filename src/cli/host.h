#pragma once

// A Ganglion engine inside this process: store, coordinator, agents and HTTP API on an event loop of its own
// thread. The commands reach it as they reach a remote server, over HTTP. `serve` runs one for everybody;
// `run`, `resume` and the verbs without a server run one for themselves, on a free port of the loopback. The
// composition root (main.cc) makes it.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/coordination.h"

namespace ganglion::cli {

// Whether tasks are handed out and the project's `workers:` started, or the engine only answers questions and
// takes verbs.
enum class AgentsRole { on, off };

// Whether the log has a line for every transition of every run (run, seq, type, step, attempt; never a
// payload).
enum class TransitionLog { off, on };

struct HostOptions {
  std::string store = "sqlite:.ganglion/ganglion.db";  // or memory:, or a URL
  std::string bus = "embedded:";                       // or a URL: what other processes over the store share
  std::optional<std::string> audit = {};               // a URL: where journals are copied to
  std::string listen = "127.0.0.1:0";                  // HOST:PORT; port 0 is a free one
  std::optional<Strategy> strategy = {};               // else the project's
  std::vector<std::string> domains = {};               // whose runs are taken up; none: those of all
  Roles roles = {};
  // Becomes the active project where it differs from the stored one; nothing: the stored one stays.
  std::optional<std::string> project_file;
  std::optional<std::string> token;  // bearer token for clients; needed to listen beyond the loopback
  AgentsRole agents = AgentsRole::on;
  TransitionLog transitions = TransitionLog::off;
  // Called from the engine's thread, one call per line, without a line end: what supervised workers print and
  // what the engine has to say (structured JSON). Must be thread-safe.
  std::function<void(const std::string& worker, const std::string& line)> on_worker_output;
  std::function<void(const std::string& json_line)> on_log;
};

struct Reloaded {
  bool changed = false;  // whether the file was another one than the active project
};

class Host {
 public:
  virtual ~Host() = default;  // stops if need be

  // `http://127.0.0.1:41231`: the engine answers there.
  virtual std::string url() const = 0;
  // One line per promise that the store, as configured, can't keep.
  virtual std::vector<std::string> weaker_promises() const = 0;
  // Reads the project file again and makes it the active project, with its workers, while runs go on under
  // the definition that they began with. Blocks until it is durable. With an error (`invalid_project`, or
  // `no_project_file` where the engine was given none) everything stays as it was. Logged either way.
  virtual Result<Reloaded> reload() = 0;
  // Takes no more requests, stops the workers, closes the store. Blocks, a few seconds at most. Once.
  virtual void stop() = 0;
};

// Blocks until the engine answers at its url with every open run taken up. Error codes: `store_locked`
// (message says who holds it), `store_corrupt`, `invalid_project` (message: every diagnostic, a line each),
// `listen_failed`, `token_needed`, `unknown_store`, `no_bus`, `unknown_bus`, `invalid_audit`.
using HostFactory = std::function<Result<std::unique_ptr<Host>>(HostOptions options)>;

}  // namespace ganglion::cli

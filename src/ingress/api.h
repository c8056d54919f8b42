#pragma once

// The HTTP API (version 1): admission and answers. It turns requests into inputs of the coordinator and into
// polls of the pool, and durable state into JSON; it decides nothing about runs itself. One file per
// resource (runs_api, events_api, state_api, …). What this version doesn't have yet answers 501 (later_api).
//
// The order of life: what Dependencies names outlives the Api, the Api outlives the server whose router has
// its routes, and nothing of it is used after the loop has stopped.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/coordination.h"

namespace ganglion {
class Clock;
class Coordinator;
class Definitions;
class EventLog;
class Random;
class Sessions;
class Store;
namespace agents {
class HeartbeatRelay;
class Pool;
}  // namespace agents
namespace http {
class Router;
class Server;
}  // namespace http
}  // namespace ganglion

namespace ganglion::ingress {

struct Dependencies {
  Clock& clock;
  Store& store;
  Coordinator& coordinator;
  Definitions& definitions;
  agents::Pool& pool;
  Sessions& sessions;
  EventLog& events;
  Random& random;
  agents::HeartbeatRelay* heartbeats = nullptr;  // where others may have what isn't in the pool
};

struct Options {
  Duration max_wait{300'000};          // of `?wait=` and of a poll; longer is refused. 1 s … 1 h
  Duration default_poll_wait{30'000};  // of a poll that names none
  // Of the process: without `ingress` it answers no clients, without `agents` no workers (421).
  Roles roles = {};
  // What /readyz says that this installation can't promise; nothing: what the store says.
  std::function<std::vector<std::string>()> weaker_promises = {};
};

// One line of /metrics, in the terms of the Prometheus text format.
struct Metric {
  std::string name;  // ganglion_…
  std::string help;
  std::string kind;    // counter or gauge
  std::string labels;  // `agent="x"`, without braces; may be empty
  double value = 0;
};
using MetricSource = std::function<std::vector<Metric>()>;

class Api {
 public:
  explicit Api(Dependencies dependencies, Options options = {});
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void register_routes(http::Router& router);

  // /readyz answers 503 until recovery is done, and again while the server drains.
  enum class Readiness { starting, ready, draining };
  void set_readiness(Readiness readiness);
  // The server whose figures /metrics shows; it outlives the calls.
  void watch(const http::Server& server);
  // Further metrics, such as the store's.
  void add_metrics(MetricSource source);

 private:
  struct Parts;
  const Roles roles_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion::ingress

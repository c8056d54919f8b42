#pragma once

// The network between programs and engines: requests and answers of the HTTP API as messages. A request
// reaches the routes of the engine that runs at its address at that moment (the engine's own handlers answer
// it), or nobody. Messages are late, lost, come twice, overtake each other; an engine that is paused takes
// them when it goes on; one that dies resets its connections; a partition swallows what goes one way.
//
// The sockets and the parsing of HTTP are not simulated: a request is here what the parser makes of one.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "ingress/http/message.h"
#include "sim/kernel/fate.h"
#include "sim/kernel/timeline.h"

namespace ganglion::http {
class Router;
}

namespace ganglion::sim {

class ProcessClock;

using HostId = StrongId<struct HostIdTag, std::uint32_t>;
using CallId = StrongId<struct CallIdTag, std::uint64_t>;

struct NetworkFaults {
  double lost_request = 0;
  double lost_answer = 0;
  double duplicate = 0;  // the request comes twice
  double slow = 0;       // a message takes up to `slow_most`
  SimTime slow_most{3'000'000};
  SimTime latency_least{40};
  SimTime latency_most{400};
  DrawTime latency = {};  // in place of these two
};

struct HttpCall {
  std::string method = "GET";
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  HostId from = {};
  std::uint64_t life = 0;  // of what listened there
};

// What listens at a host: an engine's routes, on its clock. Both live as long as it listens.
struct Listener {
  http::Router* router = nullptr;
  ProcessClock* clock = nullptr;
};

class HttpNetwork {
 public:
  // Error codes: `unreachable` (nobody listens), `reset` (the engine died), `timeout`.
  using Done = std::move_only_function<void(Result<HttpAnswer>)>;
  // Of a stream: pieces as they come; then once the end, with why.
  struct StreamHooks {
    std::function<void(std::string_view bytes)> piece;
    std::function<void(const Error& why)> end;
  };

  // Both outlive this; `faults` may change meanwhile.
  HttpNetwork(Timeline& timeline, Fate& fate, const NetworkFaults& faults);
  ~HttpNetwork();

  // `from` is the program's name. `done` is called once, never inside this call.
  CallId send(const std::string& from, HostId to, HttpCall call, SimTime timeout, Done done);
  // A stream whose request or whose end is swallowed never ends by itself: the program has to close it.
  CallId stream(const std::string& from, HostId to, HttpCall call, StreamHooks hooks);
  // The program closes the connection: nothing is called any more, and the engine is told.
  void close(CallId call);

  void listen(HostId host, Listener listener);
  // The process at the host has died.
  void die(HostId host);

  // What goes from programs to the host, or back, is swallowed.
  enum class Way { to_host, from_host };
  void part(HostId host, Way way);
  void mend(HostId host, Way way);

  std::size_t open_calls() const { return conversations_.size(); }

  // Sent so far; streams and what comes twice are not counted.
  struct Traffic {
    std::uint64_t requests = 0;
    std::uint64_t answers = 0;
    std::uint64_t bytes = 0;  // of bodies
  };
  const Traffic& traffic() const { return traffic_; }

 private:
  class Conversation;
  struct Host {
    Listener listener;
    std::uint64_t life = 0;  // a later process doesn't know the connections of an earlier one
    bool parted_to = false;
    bool parted_from = false;
    std::map<CallId, std::shared_ptr<Conversation>> accepted;  // that the process has not answered yet
  };

  std::shared_ptr<Conversation> begin(const std::string& from, HostId to, HttpCall call);
  void travel(const std::shared_ptr<Conversation>& conversation);
  void arrive(const std::shared_ptr<Conversation>& conversation);
  void break_off(const std::shared_ptr<Conversation>& conversation, Error why);
  SimTime latency(const std::string& from);
  void finish(CallId call, Result<HttpAnswer> answer);

  Timeline& timeline_;
  Fate& fate_;
  const NetworkFaults& faults_;
  std::map<HostId, Host> hosts_;
  std::map<CallId, std::shared_ptr<Conversation>> conversations_;
  CallId last_;
  Traffic traffic_;
};

}  // namespace ganglion::sim

#pragma once

// What a crash costs: takes a load to an installation, kills one of its coordinators, and watches the runs
// that were open at that moment and whose start had been acknowledged.
//
//   kill ──noticed_after──▶ every survivor has logged that it is gone, and so taken over its share
//   kill ──going_on_after─▶ the last of the open runs has progressed: a worker has got a task of it, or it
//                           has ended; runs of the survivors progress all along
//
// Clients and workers are in this process, on one thread, since only together they know how each run fares.
// They do what careful ones do: whoever gets no answer asks another server, and repeats what was not
// answered. A start that nobody has acknowledged is no promise, so it isn't repeated but forgotten.

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/http_connection.h"
#include "bench/load/run_meter.h"
#include "bench/load/workload.h"

namespace ganglion::bench {

struct RecoveryOptions {
  std::vector<ServerAddress> servers;
  std::size_t in_flight = 1'200;  // runs open and acknowledged at the kill, at least
  std::size_t workers = 4;        // connections
};

struct RecoveryHooks {
  std::function<void()> kill;
  std::function<bool()> noticed;  // asked often after the kill
  // Some times a second, with what is going on; may throw to end it.
  std::function<void(const std::string&)> now_and_then;
};

struct Recovery {
  std::size_t in_flight = 0;     // at the kill
  std::size_t acknowledged = 0;  // all in all
  std::size_t lost = 0;          // of them: not ended kPatience after the last one that did
  std::size_t failed = 0;        // of them: ended, but not completed
  Steady::duration noticed_after{};
  Steady::duration going_on_after{};
};

class RecoveryLoad {
 public:
  RecoveryLoad(RecoveryOptions options, const Workload& workload, RecoveryHooks hooks);

  // Throws what goes wrong: where the installation can't hold so many runs, or doesn't notice the death.
  Recovery run();

 private:
  // Of somebody who needs an answer, whoever gives it.
  struct Line {
    std::size_t server;
    std::unique_ptr<HttpConnection> connection = {};
  };
  struct OpenRun {
    bool watched = false;  // it was open at the kill
    bool progressed = false;
  };

  // An answer of any server; nothing where the present one gave none: the next call asks the next one.
  Awaitable<OwnedAnswer> once(Line& line, RequestLine what, std::string body);
  // The same until there is one that isn't 503.
  Awaitable<OwnedAnswer> insist(Line& line, RequestLine what, std::string body);
  Awaitable<void> sleep(Steady::duration duration);

  Awaitable<void> client(std::size_t number);
  Awaitable<void> wait_for_end(Line& line, std::string run);
  Awaitable<void> poll(std::size_t number);
  Awaitable<void> perform(std::vector<std::string> results);
  Awaitable<void> report(std::size_t number);
  Awaitable<void> watch();

  std::vector<std::string> take_tasks(std::string_view body);
  void ended(const std::string& run, std::string_view status);
  void progressed(OpenRun& run);
  Awaitable<void> until(std::function<bool()> condition, Steady::duration patience, std::string what);
  void spawn(Awaitable<void> part);

  RecoveryOptions options_;
  const Workload& workload_;
  RecoveryHooks hooks_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::unordered_map<std::string, OpenRun> open_;  // acknowledged
  std::deque<std::string> due_;                    // results
  Recovery found_;
  std::size_t without_progress_ = 0;  // of those that are watched
  Steady::time_point last_progress_;
  Steady::time_point last_end_;
  bool finishing_ = false;
  asio::io_context context_{1};  // last: coroutines end before what they use
};

}  // namespace ganglion::bench

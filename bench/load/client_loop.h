#pragma once

// The clients of a benchmark: connections that each start a run with POST /v1/runs?wait=300s and so wait for
// its end, as run_meter.h tells them. In this process, on one thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/asio/asio.h"
#include "bench/load/http_connection.h"
#include "bench/load/run_meter.h"
#include "bench/load/workload.h"

namespace ganglion::bench {

inline constexpr std::chrono::seconds kDrain{30};  // for what is under way at the end

struct ClientOptions {
  std::vector<ServerAddress> servers;  // client i asks server i, in turn
  int clients = 64;
  Window window;
  std::optional<double> rate;  // of an open loop
};

// What happens besides. All of them may throw, which ends the load.
struct ClientHooks {
  std::function<Awaitable<void>(asio::io_context&)> at_begin;  // of the window
  std::function<Awaitable<void>(asio::io_context&)> at_end;
  std::function<void()> now_and_then;  // some times a second
};

struct ClientReport {
  Histogram latency;  // see RunMeter
  std::uint64_t ended_in_window = 0;
  std::uint64_t completed = 0;   // all in all, warm-up and what ended late included
  std::uint64_t failed = 0;      // the same
  std::uint64_t unfinished = 0;  // given up kDrain after the window
  std::string failure;           // the first answer that was not a completed run
};

class ClientLoop {
 public:
  ClientLoop(const ClientOptions& options, const Workload& workload, ClientHooks hooks);

  // Until the last run has ended or been given up. Throws what goes wrong.
  ClientReport run();

 private:
  Awaitable<void> client(int number);
  Awaitable<void> watch();
  Awaitable<void> sleep_until(LoopTimer& timer, Steady::time_point time);
  void take(const Answer& answer, Steady::time_point intended);
  void give_up();
  void spawn(Awaitable<void> part);

  ClientOptions options_;
  std::chrono::nanoseconds drain_;
  std::vector<std::string> requests_;  // by server
  ClientHooks hooks_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;  // the same
  RunMeter meter_;
  ClientReport report_;
  int clients_left_;
  bool window_ended_ = false;
  std::vector<std::optional<Steady::time_point>> under_way_;  // the intended start, by client
  asio::io_context context_{1};                               // last: coroutines end before what they use
};

}  // namespace ganglion::bench

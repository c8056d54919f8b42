#pragma once

// One row: takes a load to a server, or to several of one installation, and what they used meanwhile.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/client_loop.h"
#include "bench/load/process_figures.h"
#include "bench/load/row.h"
#include "bench/load/server_figures.h"
#include "bench/load/worker_process.h"

namespace ganglion::bench {

struct LoadOptions {
  int clients = 64;
  std::optional<double> rate;  // of an open loop
  int workers = 4;
  int batch = 256;  // tasks an exchange, at most
  std::chrono::milliseconds warmup{2'000};
  std::chrono::milliseconds duration{8'000};
};

struct MeasuredServer {
  ServerAddress address;
  std::optional<pid_t> process;  // where it runs here
};

class Measurement {
 public:
  // `now_and_then` is called some times a second with what is going on, and may throw to end it.
  Measurement(const LoadOptions& load, const std::vector<MeasuredServer>& servers, const Workload& workload,
              std::function<void(const std::string&)> now_and_then);

  // Throws what goes wrong.
  Row run();

 private:
  // What had been used at a moment, by all of them.
  struct Moment {
    ServerFigures told;
    std::optional<ProcessFigures> process;
    double own_cpu_seconds = 0;
  };

  Awaitable<void> look(asio::io_context& context, Moment& moment);
  std::vector<ServerAddress> addresses() const;
  void look_at_rest();
  void go_on(WorkerProcess& workers);
  void fill_in(const ClientReport& clients, const WorkerReport& workers);
  void fill_in_server();

  const LoadOptions& load_;
  const std::vector<MeasuredServer>& servers_;
  const Workload& workload_;
  std::function<void(const std::string&)> now_and_then_;
  Window window_;
  Moment before_, after_;
  Row row_;
};

}  // namespace ganglion::bench

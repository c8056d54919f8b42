#pragma once

// `ganglion bench`: for every workload and every load a fresh server (or the one that was named), workers in
// a process of their own, clients in this one, and a row of what was measured. With strategies: for every one
// and every number of coordinators a fresh installation, and one of several is killed at the end.
//
//   workload.h, trace.h      what is run
//   run_meter.h              when runs start, and which of them count
//   client_loop.h            those who start them
//   worker_process.h         those who perform their tasks
//   own_server.h             who coordinates, unless it is another's server
//   installation.h           several of them
//   recovery.h               what becomes of their runs when one is killed
//   row.h, plot.h            what was found

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/own_server.h"
#include "bench/load/row.h"

namespace ganglion::bench {

struct BenchOptions {
  std::vector<std::string> workloads;       // of workload_names(); with strategies none: each one's usual
  std::vector<std::string> traces;          // files
  double speedup = 100;                     // of traces
  std::vector<int> clients = {1, 64, 500};  // of an open loop: at most so many runs at once
  std::vector<double> rates;                // runs a second; empty: a closed loop
  std::chrono::milliseconds duration{8'000};
  std::chrono::milliseconds warmup{2'000};
  int workers = 4;
  int batch = 256;  // tasks an exchange, at most
  std::size_t payload_bytes = 200;
  std::optional<std::string> server;    // a URL
  std::optional<std::string> token;     // for it
  std::string store = "sqlite:";        // see own_server.h
  std::optional<std::string> bus;       // the same
  std::vector<std::string> strategies;  // not with traces, rates or a server
  std::vector<int> coordinators;        // of each strategy
  std::size_t in_flight = 1'200;        // runs, when a coordinator is killed
  std::filesystem::path folder;
  bool json = false;
  std::optional<std::string> svg;  // a file
};

// Where it says what. `live`: messages go to a terminal, progress may be drawn.
struct BenchIo {
  std::function<void(std::string_view)> output;
  std::function<void(std::string_view)> message;
  std::function<void(const RowTable&)> table;
  std::function<bool()> interrupted;  // asked some times a second
  bool live = false;
};

enum class Benched { done, failed, invalid, unreachable, interrupted };

Benched bench(const BenchOptions& options, const BenchIo& io);

}  // namespace ganglion::bench

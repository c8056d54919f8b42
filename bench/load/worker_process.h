#pragma once

// The workers of a benchmark: connections that take tasks through POST /v1/tasks/exchange and answer them, in
// a process of their own, so that neither the server nor the clients pay for them. What takes time (a
// replayed call) is reported when its time has come through POST /v1/tasks/complete, while the poll goes on.
//
// The process is a fork of this one, and ends with it. Start it while this process has one thread and no
// event loop.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/http_connection.h"
#include "bench/load/run_meter.h"
#include "bench/load/workload.h"

namespace ganglion::bench {

struct WorkerOptions {
  std::vector<ServerAddress> servers;  // connection i asks server i, in turn
  int connections = 4;
  int batch = 256;  // tasks an exchange, at most
  Window window;    // outside of it nothing is counted
};

struct WorkerReport {
  std::uint64_t tasks = 0;      // handed out within the window
  std::uint64_t exchanges = 0;  // polls that were answered within it
  std::uint64_t stale = 0;      // results that didn't count: their tasks had been handed out twice
  double cpu_seconds = 0;       // of all its life
  // From the last result that a task needed being sent until the task is at a worker: what coordination adds
  // to a step, network included. First steps need nothing and are not in it.
  Histogram overhead;
};

class WorkerProcess {
 public:
  // `workload` is copied with the process.
  WorkerProcess(const WorkerOptions& options, const Workload& workload);
  ~WorkerProcess();  // ends it at once
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Whether it has ended by itself, which only an error makes it do.
  bool has_failed();
  // Ends it and takes what it has counted. Throws std::runtime_error with what went wrong, if something did.
  WorkerReport finish();

 private:
  pid_t pid_ = -1;
  int channel_ = -1;  // closed in our direction: it should end; what comes back is the report
};

}  // namespace ganglion::bench

#pragma once

// What one row of a benchmark found: one workload at one load.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/recovery.h"

namespace ganglion::bench {

struct Row {
  std::string workload;
  std::optional<std::string> strategy;  // where several are measured
  int coordinators = 1;
  int clients = 0;
  std::optional<double> rate;  // asked for, of an open loop
  int workers = 0;
  std::optional<double> appends_per_s;  // what the disk allowed right before, one at a time
  double load_average = 0;              // of this machine, before

  double seconds = 0;           // measured
  std::uint64_t runs = 0;       // that ended within them
  std::uint64_t tasks = 0;      // that were handed out within them
  std::uint64_t completed = 0;  // runs, with those before and after
  std::uint64_t failed = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t stale = 0;         // results of tasks that had been handed out twice
  std::size_t taken_for_dead = 0;  // how often a coordinator was by another one, though it lived
  Histogram run;                   // latency of the whole run
  Histogram step;                  // what coordination adds to a step
  double tasks_per_exchange = 0;
  double load_cores = 0;  // that clients and workers used

  // Of the server; what isn't known is left out. Of several it is all together, but for memory, which is that
  // of the largest.
  std::optional<double> cpu_ms_per_step, cores;
  std::optional<double> loop_us_per_step, store_us_per_step, loop_cores;  // of its two threads
  std::optional<double> resident_mib, peak_mib, resident_at_rest_mib;
  std::optional<double> disk_bytes_per_step, written_bytes_per_step;
  std::optional<double> syncs_per_1000_steps, commits_per_1000_steps;
  std::vector<double> peaks_mib;     // of each of several
  std::optional<Recovery> recovery;  // where one of several was killed

  // What it is about, beside its load.
  std::string title() const;
  double runs_per_s() const { return static_cast<double>(runs) / seconds; }
  // Of what the disk syncs one after the other: as much as a group commit with one log could use of it.
  std::optional<double> disk_share() const;
  double steps_per_s() const { return static_cast<double>(tasks) / seconds; }
};

std::string row_json(const Row& row);

// The rows of one workload side by side: a line for each figure, a column for each row.
struct RowTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> lines;
};
RowTable table_of(const std::vector<Row>& rows);
// Strategies below each other: a line for each row.
RowTable strategy_table(const std::vector<Row>& rows);

}  // namespace ganglion::bench

#pragma once

// What the kernel tells about another process of the same user: processor time, memory, bytes written.

#include <sys/types.h>

#include <cstdint>
#include <span>

namespace ganglion::bench {

struct ProcessFigures {
  double cpu_seconds = 0;                // user and system, all threads
  double loop_cpu_seconds = 0;           // a server's event loop
  double store_cpu_seconds = 0;          // a server's store thread
  std::uint64_t resident_bytes = 0;      // now
  std::uint64_t peak_bytes = 0;          // the most so far
  std::uint64_t disk_bytes = 0;          // handed to block devices, in whole pages
  std::uint64_t written_bytes = 0;       // given to write calls: the store's files, not the sockets
  std::uint64_t write_calls = 0;         // of that kind
  std::uint64_t voluntary_switches = 0;  // of the main thread and its siblings: how often somebody waited
};

// Of this process, user and system.
double own_cpu_seconds();

// Throws std::runtime_error if there is no such process.
ProcessFigures process_figures(pid_t process);
// Of all of them; but of memory what the largest one has.
ProcessFigures sum_of(std::span<const ProcessFigures> processes);

}  // namespace ganglion::bench

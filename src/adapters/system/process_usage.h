#pragma once

// What this process has used.

#include <cstdint>

namespace ganglion {

struct ProcessUsage {
  double cpu_seconds = 0;            // user and system, all threads
  std::uint64_t resident_bytes = 0;  // now; 0 if the kernel doesn't say
};

ProcessUsage process_usage();

}  // namespace ganglion

// What the disk allows, as a line of JSON.
//
//   ganglion_disk_bench FOLDER [SECONDS]

#include "bench/load/disk.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: ganglion_disk_bench FOLDER [SECONDS]\n");
    return 2;
  }
  try {
    const auto seconds = std::chrono::seconds(argc > 2 ? std::atoi(argv[2]) : 2);
    const double rate = ganglion::bench::appends_per_second(argv[1], seconds);
    std::printf("{\"appends_per_s\":%.0f,\"us_per_append\":%.1f}\n", rate, 1e6 / rate);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ganglion_disk_bench: %s\n", error.what());
    return 1;
  }
}

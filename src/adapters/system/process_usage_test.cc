#include "adapters/system/process_usage.h"

#include <gtest/gtest.h>

namespace ganglion {
namespace {

TEST(ProcessUsage, GrowsWithWork) {
  const ProcessUsage before = process_usage();
  EXPECT_GT(before.resident_bytes, 100'000u);
  while (process_usage().cpu_seconds < before.cpu_seconds + 0.001) {
  }
  EXPECT_LT(process_usage().cpu_seconds, before.cpu_seconds + 60);
}

}  // namespace
}  // namespace ganglion

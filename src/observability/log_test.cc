#include "observability/log.h"

#include <gtest/gtest.h>

#include "ports/testing/virtual_clock.h"

namespace ganglion {
namespace {

TEST(Log, ALineIsOneJsonObjectWithItsFields) {
  testing::VirtualClock clock(Timestamp(0));
  std::string written;
  const Log log(clock, [&](const std::string& line) { written += line + "\n"; });
  log.line(LogLevel::warning, "run_unreadable").add("run", "R1").add("reason", std::string("a\n\"b\""));
  EXPECT_EQ(
      written,
      R"({"at":"1970-01-01T00:00:00.000Z","level":"warning","event":"run_unreadable","run":"R1","reason":"a\n\"b\""})"
      "\n");
}

TEST(Log, WithoutASinkNothingHappens) {
  testing::VirtualClock clock;
  Log(clock, nullptr).line(LogLevel::error, "x").add("n", std::int64_t{1});
}

}  // namespace
}  // namespace ganglion

#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ganglion {
namespace {

TEST(Time, WritesRfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(format_rfc3339(Timestamp(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(Timestamp(1'709'164'800'123)), "2024-02-29T00:00:00.123Z");
}

TEST(Time, ReadsOffsetsAndFractions) {
  EXPECT_EQ(parse_rfc3339("2024-02-29T01:30:00.1234567+01:30"), Timestamp(1'709'164'800'123));
  EXPECT_FALSE(parse_rfc3339("2023-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2024-02-29T00:00:00"));
  EXPECT_FALSE(parse_rfc3339("-024-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339(""));
}

RC_GTEST_PROP(Time, WhatIsWrittenIsReadBack, ()) {
  const Timestamp time(*rc::gen::inRange<std::int64_t>(-62'135'596'800'000, 253'402'300'799'999));
  RC_ASSERT(parse_rfc3339(format_rfc3339(time)).value() == time);
}

TEST(Time, ReadsDurationsWithTheirUnit) {
  EXPECT_EQ(parse_duration("200ms"), Duration(200));
  EXPECT_EQ(parse_duration("30s"), Duration(30'000));
  EXPECT_EQ(parse_duration("15m"), Duration(900'000));
  EXPECT_EQ(parse_duration("24h"), Duration(86'400'000));
  EXPECT_EQ(parse_duration("7d"), Duration(604'800'000));
  EXPECT_EQ(parse_duration("0s"), Duration(0));
}

TEST(Time, RefusesDurationsThatAreNone) {
  for (const char* text : {"", "30", "s", "-1s", "1.5s", "30 s", "30sec", "99999999999999999999s", "3651d"}) {
    const auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, "invalid_duration");
  }
  EXPECT_TRUE(parse_duration("3650d"));
}

TEST(Time, WritesDurationsInTheLargestExactUnit) {
  EXPECT_EQ(format_duration(Duration(90'000)), "90s");
  EXPECT_EQ(format_duration(Duration(120'000)), "2m");
  EXPECT_EQ(format_duration(Duration(1)), "1ms");
  EXPECT_EQ(format_duration(Duration(0)), "0s");
}

}  // namespace
}  // namespace ganglion

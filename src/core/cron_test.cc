#include "core/cron.h"

#include <gtest/gtest.h>

namespace ganglion {
namespace {

Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

std::string next(std::string_view cron, std::string_view after, std::string_view zone = "UTC") {
  const auto slot = Cron::parse(cron).value().next(at(after), TimeZone::find(zone).value());
  return slot ? format_rfc3339(*slot) : "never";
}

TEST(Cron, FindsTheNextSlotAfterATime) {
  EXPECT_EQ(next("0 3 * * *", "2026-11-21T02:59:59Z"), "2026-11-21T03:00:00.000Z");
  EXPECT_EQ(next("0 3 * * *", "2026-11-21T03:00:00Z"), "2026-11-22T03:00:00.000Z");
  EXPECT_EQ(next("*/15 9-17 * * MON-FRI", "2026-11-20T17:45:00Z"), "2026-11-23T09:00:00.000Z");
  EXPECT_EQ(next("@monthly", "2026-12-01T00:00:00Z"), "2027-01-01T00:00:00.000Z");
  EXPECT_EQ(next("59 23 31 12 *", "2026-12-31T23:59:00Z"), "2027-12-31T23:59:00.000Z");
}

TEST(Cron, EitherOfTwoRestrictedDaysIsEnough) {
  EXPECT_EQ(next("0 0 13 * FRI", "2026-11-21T00:00:00Z"), "2026-11-27T00:00:00.000Z");
  EXPECT_EQ(next("0 0 13 * FRI", "2026-12-11T00:00:00Z"), "2026-12-13T00:00:00.000Z");
}

TEST(Cron, SundayHasTwoNumbers) {
  EXPECT_EQ(next("0 0 * * 7", "2026-11-21T00:00:00Z"), next("0 0 * * 0", "2026-11-21T00:00:00Z"));
}

TEST(Cron, ASlotThatNeverComesIsNone) {
  EXPECT_EQ(next("0 0 30 2 *", "2026-11-21T00:00:00Z"), "never");
  EXPECT_EQ(next("0 0 29 2 *", "2026-11-21T00:00:00Z"), "2028-02-29T00:00:00.000Z");
}

TEST(Cron, FollowsTheClocksOnTheWall) {
  EXPECT_EQ(next("0 3 * * *", "2026-07-01T00:00:00Z", "Europe/Berlin"), "2026-07-01T01:00:00.000Z");
  EXPECT_EQ(next("0 3 * * *", "2026-12-01T00:00:00Z", "Europe/Berlin"), "2026-12-01T02:00:00.000Z");
}

TEST(Cron, AnHourThatIsLeftOutComesWhenClocksGoForward) {
  EXPECT_EQ(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-29T01:00:00.000Z");
  EXPECT_EQ(next("30 2 * * *", "2026-03-29T01:00:00Z", "Europe/Berlin"), "2026-03-30T00:30:00.000Z");
}

TEST(Cron, AnHourThatComesTwiceCountsOnce) {
  EXPECT_EQ(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
  EXPECT_EQ(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-26T01:30:00.000Z");
}

}  // namespace
}  // namespace ganglion

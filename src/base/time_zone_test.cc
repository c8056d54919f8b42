#include "base/time_zone.h"

#include <gtest/gtest.h>

namespace ganglion {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using namespace std::chrono_literals;

Timestamp at(std::string_view text) {
  return parse_rfc3339(text).value();
}

TEST(TimeZone, ShowsTheTimeOnTheWall) {
  const TimeZone berlin = TimeZone::find("Europe/Berlin").value();
  EXPECT_EQ(berlin.wall(at("2026-01-15T12:30:59Z")), sys_days(2026y / 1 / 15) + hours(13) + minutes(30));
  EXPECT_EQ(berlin.wall(at("2026-07-15T12:30:00Z")), sys_days(2026y / 7 / 15) + hours(14) + minutes(30));
  EXPECT_EQ(berlin.instant(sys_days(2026y / 7 / 15) + hours(14)), at("2026-07-15T12:00:00Z"));
}

TEST(TimeZone, AHourThatIsLeftOutIsTheMomentAtWhichItIs) {
  const TimeZone berlin = TimeZone::find("Europe/Berlin").value();
  EXPECT_EQ(berlin.instant(sys_days(2026y / 3 / 29) + hours(2) + minutes(30)), at("2026-03-29T01:00:00Z"));
}

TEST(TimeZone, AHourThatComesTwiceIsTheFirst) {
  const TimeZone berlin = TimeZone::find("Europe/Berlin").value();
  EXPECT_EQ(berlin.instant(sys_days(2026y / 10 / 25) + hours(2) + minutes(30)), at("2026-10-25T00:30:00Z"));
}

TEST(TimeZone, AnUnknownNameIsAnError) {
  EXPECT_EQ(TimeZone::find("Europe/Atlantis").error().code, "unknown_time_zone");
}

}  // namespace
}  // namespace ganglion

#pragma once

// Schedules: five fields (minute, hour, day of month, month, day of week) with lists, ranges, steps and
// names, as in POSIX crontab with the usual additions, or @hourly, @daily, @weekly, @monthly, @yearly. Where
// both the day of the month and the day of the week are restricted, either is enough.
//
// Times are those on the wall of a time zone. A slot in an hour that is left out when clocks go forward comes
// when they do; one in an hour that comes twice comes the first time only.

#include <bitset>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time_zone.h"

namespace ganglion {

class Cron {
 public:
  // Error code `invalid_cron`.
  static Result<Cron> parse(std::string_view text);

  // The first slot after `time`; nothing where none comes within eight years.
  std::optional<Timestamp> next(Timestamp time, const TimeZone& zone) const;

 private:
  std::optional<WallMinute> next_on_wall(WallMinute after) const;
  bool has_day(std::chrono::sys_days day) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // of the month, from 1
  std::bitset<13> months_;   // from 1
  std::bitset<8> weekdays_;  // 0 and 7 are Sunday
  bool any_day_ = true;
  bool any_weekday_ = true;
};

}  // namespace ganglion

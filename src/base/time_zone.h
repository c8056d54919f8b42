#pragma once

// Time zones of the IANA database, as installed on this machine (tzdata); read once, when the first is asked
// for.

#include <chrono>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace date {
class time_zone;
}

namespace ganglion {

// What clocks on the wall show, to the minute, counted from 1970-01-01 00:00 as if there were no zones.
using WallMinute = std::chrono::sys_time<std::chrono::minutes>;

class TimeZone {
 public:
  // `UTC`, `Europe/Berlin`, … Error code `unknown_time_zone`.
  static Result<TimeZone> find(std::string_view name);

  WallMinute wall(Timestamp time) const;
  // Where clocks go forward over it: the moment at which they do. Where they show it twice: the first time.
  Timestamp instant(WallMinute wall) const;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}

  const date::time_zone* zone_;  // lives as long as the process
};

}  // namespace ganglion

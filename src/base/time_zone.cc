#include "base/time_zone.h"

#include <date/tz.h>

#include <string>

namespace ganglion {

Result<TimeZone> TimeZone::find(std::string_view name) {
  // The library's way of saying no is an exception.
  try {
    return TimeZone(date::locate_zone(std::string(name)));
  } catch (const std::exception&) {
    return fail("unknown_time_zone", "no time zone \"" + std::string(name) +
                                         "\" is installed; names are such as UTC or Europe/Berlin");
  }
}

WallMinute TimeZone::wall(Timestamp time) const {
  const date::sys_time<std::chrono::milliseconds> moment{
      std::chrono::milliseconds(time.milliseconds_since_epoch())};
  const auto local = zone_->to_local(moment);
  return WallMinute(std::chrono::floor<std::chrono::minutes>(local.time_since_epoch()));
}

Timestamp TimeZone::instant(WallMinute wall) const {
  const date::local_time<std::chrono::minutes> local{wall.time_since_epoch()};
  const auto moment = zone_->to_sys(local, date::choose::earliest);
  return Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(moment.time_since_epoch()).count());
}

}  // namespace ganglion

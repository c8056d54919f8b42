#include "project/schedule.h"

#include <string>
#include <vector>

#include "base/time_zone.h"
#include "core/cron.h"
#include "project/suggestion.h"

namespace ganglion::project {

std::optional<std::string> check_cron(std::string_view text) {
  const auto cron = Cron::parse(text);
  if (cron) return std::nullopt;
  static const std::vector<std::string> kNames = {"@hourly", "@daily", "@weekly", "@monthly", "@yearly"};
  return cron.error().message + (text.starts_with('@') ? did_you_mean(text, kNames) : "");
}

std::optional<std::string> check_timezone(std::string_view text) {
  const auto zone = TimeZone::find(text);
  return zone ? std::nullopt : std::optional(zone.error().message);
}

}  // namespace ganglion::project

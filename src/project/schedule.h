#pragma once

// The form of schedules: cron expressions (POSIX crontab with lists, ranges, steps and names, or @name) and
// names of time zones. Each returns what is wrong, if anything is.

#include <optional>
#include <string>
#include <string_view>

namespace ganglion::project {

std::optional<std::string> check_cron(std::string_view text);
std::optional<std::string> check_timezone(std::string_view text);

}  // namespace ganglion::project

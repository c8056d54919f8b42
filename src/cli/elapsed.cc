#include "cli/elapsed.h"

#include <algorithm>
#include <cstdint>

namespace ganglion::cli {
namespace {

std::string digits(std::int64_t value, std::size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

}  // namespace

std::string elapsed_text(Duration elapsed) {
  const std::int64_t ms = std::max<std::int64_t>(elapsed.count(), 0);
  const std::int64_t seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60;
  if (ms < 1000) return std::to_string(ms) + "ms";
  if (seconds < 60) return std::to_string(seconds) + "." + std::to_string(ms % 1000 / 100) + "s";
  if (minutes < 60) return std::to_string(minutes) + "m" + digits(seconds % 60, 2) + "s";
  if (hours < 24) return std::to_string(hours) + "h" + digits(minutes % 60, 2) + "m";
  return std::to_string(hours / 24) + "d" + digits(hours % 24, 2) + "h";
}

std::string offset_text(Duration offset) {
  const std::int64_t ms = std::max<std::int64_t>(offset.count(), 0);
  return "+" + std::to_string(ms / 1000) + "." + digits(ms % 1000, 3) + "s";
}

}  // namespace ganglion::cli

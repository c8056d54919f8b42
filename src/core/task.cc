#include "core/task.h"

#include <array>
#include <utility>

namespace ganglion {
namespace {

constexpr std::array<std::pair<Verdict, std::string_view>, 4> kNames = {
    {{Verdict::accepted, "accepted"},
     {Verdict::stale_attempt, "stale_attempt"},
     {Verdict::unknown, "unknown"},
     {Verdict::invalid, "invalid"}}};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  for (const auto& [known, name] : kNames) {
    if (known == verdict) return name;
  }
  return "unknown";
}

std::optional<Verdict> verdict_of(std::string_view name) {
  for (const auto& [verdict, known] : kNames) {
    if (known == name) return verdict;
  }
  return std::nullopt;
}

}  // namespace ganglion

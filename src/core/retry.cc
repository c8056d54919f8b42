#include "core/retry.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace ganglion {
namespace {

// 0 … 1, the same on every machine for the same token (FNV-1a with a final mix, splitmix64).
double fraction_of(const std::string& token) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : token) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return static_cast<double>(hash >> 11) / static_cast<double>(1ULL << 53);
}

}  // namespace

Duration retry_pause(const RetryPolicy& policy, std::uint32_t failures, const AttemptToken& token) {
  Duration pause = std::min(policy.initial, policy.max);
  if (policy.backoff == Backoff::exponential) {
    for (std::uint32_t i = 1; i < failures && pause < policy.max; ++i)
      pause = std::min(pause * 2, policy.max);
  }
  const double jitter = static_cast<double>(pause.count()) * policy.jitter * fraction_of(token.text());
  return pause + Duration(static_cast<std::int64_t>(jitter));
}

}  // namespace ganglion

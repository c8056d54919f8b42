#pragma once

// A store that is away fails every run that it has something to do with, many times a second. The log has one
// line a second of it, which says how many times that was.

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace ganglion::host {

class OutageCount {
 public:
  static constexpr Duration kPause{1'000};

  // One more time: how many there have been since the last line, where it is time for another one.
  std::optional<std::int64_t> another(Timestamp now) {
    ++times_;
    if (said_ && now - *said_ < kPause) return std::nullopt;
    said_ = now;
    const std::int64_t times = times_;
    times_ = 0;
    return times;
  }

 private:
  std::int64_t times_ = 0;
  std::optional<Timestamp> said_;
};

}  // namespace ganglion::host

#include "cli/stream_patience.h"

#include <algorithm>
#include <utility>

namespace ganglion::cli {

void StreamPatience::heard() {
  last_heard_ = std::chrono::steady_clock::now();
  next_pause_ = kFirstPause;
  told_ = false;
}

bool StreamPatience::exhausted() const {
  return std::chrono::steady_clock::now() - last_heard_ > kLimit;
}

bool StreamPatience::first_loss() {
  return !std::exchange(told_, true);
}

Duration StreamPatience::pause() {
  return std::exchange(next_pause_, std::min(next_pause_ * 2, kLongestPause));
}

}  // namespace ganglion::cli

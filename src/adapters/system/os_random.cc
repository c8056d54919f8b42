#include "adapters/system/os_random.h"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace ganglion {

std::uint64_t OsRandom::next() {
  if (left_ == 0) refill();
  return std::exchange(buffer_[--left_], 0);
}

void OsRandom::refill() {
  auto* bytes = reinterpret_cast<char*>(buffer_.data());
  std::size_t filled = 0;
  while (filled < sizeof buffer_) {
    const ssize_t got = ::getrandom(bytes + filled, sizeof buffer_ - filled, 0);
    // A kernel without getrandom is older than anything this runs on; a signal before the first byte is no
    // failure.
    GANGLION_ASSERT(got > 0 || errno == EINTR);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  left_ = buffer_.size();
}

}  // namespace ganglion

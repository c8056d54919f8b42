#include "mailbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace ganglion {

Mailbox::Mailbox() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::system_error(errno, std::generic_category(), "pipe");
  }
  read_end_ = ends[0];
  write_end_ = ends[1];
}

Mailbox::~Mailbox() {
  ::close(read_end_);
  ::close(write_end_);
}

void Mailbox::put(Notice notice) {
  {
    const std::scoped_lock lock(mutex_);
    notices_.push_back(std::move(notice));
  }
  wake();
}

std::vector<Notice> Mailbox::take() {
  std::array<char, 256> bytes{};
  while (::read(read_end_, bytes.data(), bytes.size()) > 0) {
  }
  const std::scoped_lock lock(mutex_);
  return std::exchange(notices_, {});
}

void Mailbox::wake() noexcept {
  const int before = errno;
  // A full pipe wakes the loop just as well.
  [[maybe_unused]] const ssize_t written = ::write(write_end_, "w", 1);
  errno = before;
}

}  // namespace ganglion

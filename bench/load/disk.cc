#include "bench/load/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace ganglion::bench {

double appends_per_second(const std::filesystem::path& folder, std::chrono::milliseconds duration) {
  using Steady = std::chrono::steady_clock;
  constexpr std::size_t kRecordBytes = 300;
  constexpr long kMaxAppends = 1'000'000;
  const std::string path = folder / "disk-bench.tmp";
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) throw std::runtime_error("can't write " + path + ": " + std::strerror(errno));
  const std::string record(kRecordBytes, 'x');
  const auto began = Steady::now();
  long appends = 0;
  int failed = 0;
  while (failed == 0 && appends < kMaxAppends && Steady::now() - began < duration) {
    const bool durable = ::write(file, record.data(), record.size()) == static_cast<ssize_t>(record.size()) &&
                         ::fdatasync(file) == 0;
    if (!durable) failed = errno;
    ++appends;
  }
  const double elapsed = std::chrono::duration<double>(Steady::now() - began).count();
  ::close(file);
  ::unlink(path.c_str());
  if (failed != 0) throw std::runtime_error("can't write " + path + ": " + std::strerror(failed));
  return static_cast<double>(appends) / elapsed;
}

}  // namespace ganglion::bench

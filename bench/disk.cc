// The disk's own limit, for comparison: appends of one record, each followed by fdatasync, as a journal
// without group commit would write them.
//
//   ganglion_disk_bench FOLDER [SECONDS]

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  using Steady = std::chrono::steady_clock;
  constexpr std::size_t kRecordBytes = 300;
  constexpr long kMaxAppends = 1'000'000;
  if (argc < 2) {
    std::fprintf(stderr, "usage: ganglion_disk_bench FOLDER [SECONDS]\n");
    return 2;
  }
  const auto seconds = std::chrono::seconds(argc > 2 ? std::atoi(argv[2]) : 2);
  const std::string path = std::string(argv[1]) + "/disk-bench.tmp";
  const int file = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror(path.c_str());
    return 1;
  }
  const std::string record(kRecordBytes, 'x');
  const auto began = Steady::now();
  long appends = 0;
  bool failed = false;
  while (!failed && appends < kMaxAppends && Steady::now() - began < seconds) {
    failed = ::write(file, record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
             ::fdatasync(file) != 0;
    ++appends;
  }
  const double elapsed = std::chrono::duration<double>(Steady::now() - began).count();
  if (failed) std::perror(path.c_str());
  ::close(file);
  ::unlink(path.c_str());
  std::printf("{\"appends_per_s\":%.0f,\"us_per_append\":%.1f}\n", static_cast<double>(appends) / elapsed,
              elapsed * 1e6 / static_cast<double>(appends));
  return failed ? 1 : 0;
}

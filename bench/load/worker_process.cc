#include "bench/load/worker_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>

#include "bench/load/process_figures.h"
#include "bench/load/worker_loop.h"

namespace ganglion::bench {
namespace {

constexpr std::string_view kFailed = "failed ";

void write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int from) {
  std::string text;
  char piece[16 * 1024];
  while (true) {
    const ssize_t size = ::read(from, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(piece, static_cast<std::size_t>(size));
  }
}

std::string perform(const WorkerOptions& options, const Workload& workload, int channel) {
  try {
    asio::io_context context(1);
    const WorkerReport report = WorkerLoop(context, options, workload).run(channel);
    std::ostringstream text;
    text << report.tasks << ' ' << report.exchanges << ' ' << report.stale << ' ' << own_cpu_seconds() << ' '
         << report.overhead.text();
    return std::move(text).str();
  } catch (const std::exception& error) {
    return std::string(kFailed) + error.what();
  }
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerOptions& options, const Workload& workload) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw std::runtime_error("no socket for the workers' process");
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("the workers' process can't be started");
  if (pid_ == 0) {
    ::setpgid(0, 0);  // the terminal's Ctrl-C is for the parent
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::close(ends[0]);
    write_all(ends[1], perform(options, workload, ends[1]));
    // Nothing of the parent's is flushed or destroyed twice.
    ::_exit(0);
  }
  ::close(ends[1]);
  channel_ = ends[0];
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (channel_ >= 0) ::close(channel_);
}

bool WorkerProcess::has_failed() {
  siginfo_t state{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         state.si_pid == pid_;
}

WorkerReport WorkerProcess::finish() {
  ::shutdown(channel_, SHUT_WR);
  const std::string text = read_all(channel_);
  if (text.starts_with(kFailed)) throw std::runtime_error(text.substr(kFailed.size()));
  std::istringstream in(text);
  WorkerReport report;
  std::string histogram;
  in >> report.tasks >> report.exchanges >> report.stale >> report.cpu_seconds;
  std::getline(in, histogram);
  auto overhead = Histogram::from_text(histogram);
  if (!in || !overhead) throw std::runtime_error("the workers' process has crashed");
  report.overhead = *std::move(overhead);
  return report;
}

}  // namespace ganglion::bench

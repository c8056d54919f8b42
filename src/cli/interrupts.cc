#include "cli/interrupts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>

#include "base/assert.h"

namespace ganglion::cli {
namespace {

// A signal handler can reach nothing else.
std::atomic<int> arrivals = 0;
std::array<int, 2> wake_pipe = {-1, -1};

void on_signal(int) {
  const int before_errno = errno;
  if (arrivals.fetch_add(1) > 0) _exit(130);
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], &byte, 1);
  errno = before_errno;
}

void handle(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupts::Interrupts() {
  GANGLION_ASSERT(wake_pipe[0] == -1);
  GANGLION_ASSERT(pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  arrivals = 0;
  handle(on_signal);
}

Interrupts::~Interrupts() {
  handle(SIG_DFL);
  for (int& end : wake_pipe) {
    close(end);
    end = -1;
  }
}

bool Interrupts::arrived() const {
  return arrivals > 0;
}

int Interrupts::descriptor() const {
  return wake_pipe[0];
}

void Interrupts::wait() const {
  pollfd readable{.fd = descriptor(), .events = POLLIN, .revents = 0};
  while (!arrived()) poll(&readable, 1, -1);
}

bool Interrupts::wait_for(Duration duration) const {
  pollfd readable{.fd = descriptor(), .events = POLLIN, .revents = 0};
  if (!arrived()) poll(&readable, 1, static_cast<int>(duration.count()));
  return arrived();
}

}  // namespace ganglion::cli

#include "cli/interrupts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <initializer_list>

#include "base/assert.h"

namespace ganglion::cli {
namespace {

// A signal handler can reach nothing else.
std::atomic<int> arrivals = 0;
std::atomic<bool> hung_up = false;
std::array<int, 2> wake_pipe = {-1, -1};

void on_signal(int signal) {
  const int before_errno = errno;
  if (signal == SIGHUP) {
    hung_up = true;
  } else if (arrivals.fetch_add(1) > 0) {
    _exit(130);
  }
  const char byte = 1;
  [[maybe_unused]] const auto written = ::write(wake_pipe[1], &byte, 1);
  errno = before_errno;
}

void handle(std::initializer_list<int> signals, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int signal : signals) sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupts::Interrupts(Hangups hangups) : hangups_(hangups) {
  GANGLION_ASSERT(wake_pipe[0] == -1);
  GANGLION_ASSERT(pipe2(wake_pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
  arrivals = 0;
  hung_up = false;
  handle({SIGINT, SIGTERM}, on_signal);
  if (hangups == Hangups::wake) handle({SIGHUP}, on_signal);
}

Interrupts::~Interrupts() {
  handle({SIGINT, SIGTERM}, SIG_DFL);
  // One that comes while the process stops has come too late to be of use, but is no reason to die half-way.
  if (hangups_ == Hangups::wake) handle({SIGHUP}, SIG_IGN);
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

Wake Interrupts::wait() const {
  pollfd readable{.fd = descriptor(), .events = POLLIN, .revents = 0};
  while (!arrived()) {
    if (hung_up.exchange(false)) return Wake::hangup;
    poll(&readable, 1, -1);
    // Of a hangup. Where the byte of an interrupt goes with it, `arrived` still tells.
    char byte = 0;
    while (!arrived() && ::read(wake_pipe[0], &byte, 1) == 1) {
    }
  }
  return Wake::interrupt;
}

bool Interrupts::wait_for(Duration duration) const {
  pollfd readable{.fd = descriptor(), .events = POLLIN, .revents = 0};
  if (!arrived()) poll(&readable, 1, static_cast<int>(duration.count()));
  return arrived();
}

}  // namespace ganglion::cli

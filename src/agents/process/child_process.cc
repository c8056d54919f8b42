#include "agents/process/child_process.h"

#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "agents/lifetime.h"
#include "base/asio/asio.h"

namespace ganglion::agents {
namespace {

using Stream = asio::posix::basic_stream_descriptor<LoopExecutor>;
using boost::system::error_code;

ExitStatus exit_status(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.code = WEXITSTATUS(status)};
}

// One of the program's two output streams.
struct OutputStream {
  Stream stream;
  std::move_only_function<void(std::string_view)> receive;
  std::array<char, 16 * 1024> buffer;
};

class RunningChild final : public ChildProcess {
 public:
  RunningChild(asio::io_context& loop, Clock& clock, Spawned spawned, std::string input, Callbacks callbacks)
      : clock_(clock),
        pid_(spawned.pid),
        exit_(loop.get_executor(), spawned.exit.release()),
        input_(loop.get_executor(), spawned.input.release()),
        output_{Stream(loop.get_executor(), spawned.output.release()), std::move(callbacks.output), {}},
        error_{Stream(loop.get_executor(), spawned.error.release()), std::move(callbacks.error), {}},
        text_(std::move(input)),
        ended_(std::move(callbacks.ended)) {
    write_input();
    read(output_);
    read(error_);
    exit_.async_wait(Stream::wait_read, lifetime_.guard([this](error_code) { exited(); }));
  }

  ~RunningChild() override {
    if (timer_ != TimerId()) clock_.cancel(timer_);
    if (!status_) reap();
  }

  int pid() const override { return pid_; }

  void terminate(Duration grace) override {
    if (status_ || terminating_) return;
    terminating_ = true;
    ::kill(-pid_, SIGTERM);
    timer_ = clock_.at(clock_.now() + grace, lifetime_.guard([this] { kill(); }));
  }

  void kill() override {
    if (!status_) ::kill(-pid_, SIGKILL);
  }

 private:
  void write_input() {
    asio::async_write(input_, asio::buffer(text_), lifetime_.guard([this](error_code, std::size_t) {
      // A program that doesn't read its input is free not to.
      error_code ignored;
      input_.close(ignored);
      text_ = {};
    }));
  }

  void read(OutputStream& from) {
    from.stream.async_read_some(asio::buffer(from.buffer),
                                lifetime_.guard([this, &from](error_code failed, std::size_t size) {
                                  if (size > 0) from.receive({from.buffer.data(), size});
                                  if (!failed) {
                                    read(from);
                                    return;
                                  }
                                  error_code ignored;
                                  from.stream.close(ignored);
                                  finish_if_complete();
                                }));
  }

  void exited() {
    reap();
    if (timer_ != TimerId()) clock_.cancel(timer_);
    error_code ignored;
    exit_.close(ignored);
    timer_ = clock_.at(clock_.now() + kDrain, lifetime_.guard([this] {
      error_code failed;
      output_.stream.close(failed);
      error_.stream.close(failed);
      finish_if_complete();
    }));
    finish_if_complete();
  }

  // The group first: as long as the program isn't reaped, nobody else can have its number.
  void reap() {
    ::kill(-pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = exit_status(status);
  }

  void finish_if_complete() {
    if (!status_ || output_.stream.is_open() || error_.stream.is_open() || !ended_) return;
    auto ended = std::exchange(ended_, nullptr);
    ended(*status_);  // may destroy this
  }

  Clock& clock_;
  pid_t pid_;
  Stream exit_;
  Stream input_;
  OutputStream output_;
  OutputStream error_;
  std::string text_;
  std::move_only_function<void(ExitStatus)> ended_;
  std::optional<ExitStatus> status_;  // once reaped
  bool terminating_ = false;
  TimerId timer_;  // the kill's while it runs, the drain's after that
  Lifetime lifetime_;
};

}  // namespace

std::string ExitStatus::text() const {
  if (signal == 0) return "exit code " + std::to_string(code);
  const char* name = ::strsignal(signal);
  return "killed by signal " + std::to_string(signal) + " (" + (name ? name : "unknown") + ")";
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(asio::io_context& loop, Clock& clock,
                                                          const Program& program, std::string input,
                                                          Callbacks callbacks) {
  static const bool ignored = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
  static_cast<void>(ignored);
  auto spawned = spawn(program);
  if (!spawned) return std::unexpected(spawned.error());
  return std::make_unique<RunningChild>(loop, clock, *std::move(spawned), std::move(input),
                                        std::move(callbacks));
}

}  // namespace ganglion::agents

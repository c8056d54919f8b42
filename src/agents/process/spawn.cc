#include "agents/process/spawn.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

namespace ganglion::agents {
namespace {

enum class Stage : int { directory, execute };

// What the child says through a pipe that closes by itself when exec succeeds.
struct StartFailure {
  Stage stage;
  int error;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// Everything that the child needs, made before the fork: between fork and exec only async-signal-safe calls
// are allowed.
struct Prepared {
  std::vector<char*> command;
  std::vector<char*> environment;
  const char* directory = nullptr;
  std::array<int, 3> streams{};
  int failures = -1;
  pid_t parent = -1;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void give_up(int failures, Stage stage) {
  const StartFailure failure{stage, errno};
  // The pipe holds it, and nobody could be told otherwise.
  [[maybe_unused]] const auto written = ::write(failures, &failure, sizeof failure);
  ::_exit(127);
}

[[noreturn]] void become(const Prepared& prepared) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // it died before we asked to be told

  // Ignored signals and the mask outlive exec; a program expects neither.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  for (int stream = 0; stream < 3; ++stream) {
    // dup2 on itself would leave close-on-exec set; our pipes are never 0 to 2, see above_standard().
    ::dup2(prepared.streams[static_cast<std::size_t>(stream)], stream);
  }
  // Ours are close-on-exec each; what we inherited ourselves may not be.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  if (prepared.directory && ::chdir(prepared.directory) != 0) give_up(prepared.failures, Stage::directory);
  ::execvpe(prepared.command[0], prepared.command.data(), prepared.environment.data());
  give_up(prepared.failures, Stage::execute);
}

// A server started with closed standard streams would get them for its pipes.
bool above_standard(Descriptor& descriptor) {
  if (descriptor.get() > 2) return true;
  const int moved = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3);
  if (moved < 0) return false;
  descriptor.reset(moved);
  return true;
}

Error out_of_resources(const Program& program) {
  return {"crashed", "cannot start " + program.command[0] + ": " + std::strerror(errno)};
}

Error explain(const Program& program, StartFailure failure) {
  const std::string reason = std::strerror(failure.error);
  if (failure.stage == Stage::directory) {
    return {"agent_unavailable", "cannot start in the directory " + program.directory + ": " + reason};
  }
  const bool passing = failure.error == EAGAIN || failure.error == ENOMEM || failure.error == ETXTBSY;
  return {passing ? "crashed" : "agent_unavailable", "cannot execute " + program.command[0] + ": " + reason};
}

// Waits for the exec: it takes a moment only, and the answer belongs to whoever asked for the start.
std::optional<StartFailure> read_failure(const Descriptor& failures) {
  StartFailure failure{};
  ssize_t read = 0;
  do {
    read = ::read(failures.get(), &failure, sizeof failure);
  } while (read < 0 && errno == EINTR);
  if (read != sizeof failure) return std::nullopt;
  return failure;
}

}  // namespace

void Descriptor::reset(int number) {
  if (number_ >= 0) ::close(number_);
  number_ = number;
}

Result<Spawned> spawn(const Program& program) {
  if (program.command.empty()) return fail("agent_unavailable", "there is no command to start");
  auto input = make_pipe();
  auto output = make_pipe();
  auto error = make_pipe();
  auto failures = make_pipe();
  if (!input || !output || !error || !failures) return std::unexpected(out_of_resources(program));
  for (Descriptor* end : {&input->read, &output->write, &error->write, &failures->write}) {
    if (!above_standard(*end)) return std::unexpected(out_of_resources(program));
  }

  Prepared prepared{
      .command = pointers(program.command),
      .environment = pointers(program.environment),
      .directory = program.directory.empty() ? nullptr : program.directory.c_str(),
      .streams = {input->read.get(), output->write.get(), error->write.get()},
      .failures = failures->write.get(),
      .parent = ::getpid(),
  };
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(out_of_resources(program));
  if (pid == 0) become(prepared);

  // Also here, so that a signal to the group can't come before the child has made it.
  ::setpgid(pid, pid);
  failures->write.reset();
  const auto failure = read_failure(failures->read);
  Descriptor exit(failure ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (failure || exit.get() < 0) {
    const Error reason = failure ? explain(program, *failure) : out_of_resources(program);
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return std::unexpected(reason);
  }
  return Spawned{pid, std::move(exit), std::move(input->write), std::move(output->read),
                 std::move(error->read)};
}

}  // namespace ganglion::agents

#include "servers/server_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "base/assert.h"

namespace ganglion::testing {
namespace {

using Steady = std::chrono::steady_clock;

// Generous: several test programs, each with sanitizers, may share two processors.
constexpr auto kTimeToStart = std::chrono::seconds(60);
constexpr auto kTimeToStop = std::chrono::seconds(10);
constexpr auto kPoll = std::chrono::milliseconds(5);
constexpr const char* kOutput = "server-output.txt";

struct Account {
  uid_t user;
  gid_t group;
};

std::optional<Account> account_of(const std::string& name) {
  if (name.empty() || ::geteuid() != 0) return std::nullopt;
  const passwd* entry = ::getpwnam(name.c_str());
  GANGLION_ASSERT(entry != nullptr);
  return Account{entry->pw_uid, entry->pw_gid};
}

bool accepts_connections(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

// Between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* arguments, const char* folder, const std::optional<Account>& account,
                         pid_t parent) {
  ::setpgid(0, 0);
  if (account &&
      (::setgroups(0, nullptr) != 0 || ::setgid(account->group) != 0 || ::setuid(account->user) != 0))
    ::_exit(126);
  // After the change of the account, which would undo it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || ::chdir(folder) != 0) ::_exit(126);
  const int input = ::open("/dev/null", O_RDONLY);
  const int output = ::open(kOutput, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::close_range(3, ~0u, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(arguments[0], arguments);
  ::_exit(127);
}

// Whether the process has ended within the time.
bool ends_within(pid_t pid, Steady::duration time) {
  for (const auto end = Steady::now() + time; Steady::now() < end; std::this_thread::sleep_for(kPoll)) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) return true;
  }
  return false;
}

}  // namespace

bool is_installed(const std::string& program) {
  if (program.contains('/')) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

ServerProcess::ServerProcess(ServerOptions options) : options_(std::move(options)) {
  std::string name = (std::filesystem::temp_directory_path() / "ganglion-server-XXXXXX").string();
  GANGLION_ASSERT(::mkdtemp(name.data()) != nullptr);
  folder_ = name;
  if (const auto account = account_of(options_.account))
    GANGLION_ASSERT(::chown(folder_.c_str(), account->user, account->group) == 0);
}

ServerProcess::~ServerProcess() {
  if (running()) kill();
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void ServerProcess::start() {
  GANGLION_ASSERT(!running());
  pid_ = spawn(options_.command(port(), folder_));
  for (const auto end = Steady::now() + kTimeToStart; Steady::now() < end;
       std::this_thread::sleep_for(kPoll)) {
    if (accepts_connections(port())) return;
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) break;
  }
  std::fprintf(stderr, "%s\n", output().c_str());
  GANGLION_ASSERT(!"the server didn't start; its output is above");
}

void ServerProcess::stop() {
  GANGLION_ASSERT(running());
  ::kill(pid_, options_.stop_signal);
  if (ends_within(pid_, kTimeToStop)) {
    pid_ = -1;
    return;
  }
  kill();
}

void ServerProcess::kill() {
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

// A thread of it may run for a moment after the signal has been sent.
void ServerProcess::pause() {
  signal(SIGSTOP);
  siginfo_t stopped;
  GANGLION_ASSERT(::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT) == 0);
}

void ServerProcess::resume() {
  signal(SIGCONT);
}

void ServerProcess::signal(int number) {
  GANGLION_ASSERT(running());
  // The group exists once the child has made it; until then there is only the child.
  if (::killpg(pid_, number) != 0) ::kill(pid_, number);
}

int ServerProcess::run(const std::vector<std::string>& command) {
  const pid_t pid = spawn(command);
  int status = 0;
  GANGLION_ASSERT(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

pid_t ServerProcess::spawn(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const std::optional<Account> account = account_of(options_.account);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  GANGLION_ASSERT(pid >= 0);
  if (pid == 0) become(arguments.data(), folder_.c_str(), account, parent);
  return pid;
}

std::string ServerProcess::output() const {
  std::ifstream file(folder_ / kOutput);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace ganglion::testing

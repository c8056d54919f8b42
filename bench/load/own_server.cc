#include "bench/load/own_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace ganglion::bench {
namespace {

constexpr std::chrono::seconds kToStart{30};
constexpr std::chrono::seconds kToEnd{10};
constexpr std::chrono::milliseconds kLookEvery{2};
constexpr std::string_view kListening = "listening on http://127.0.0.1:";
constexpr std::string_view kWeaker = "weaker than promised: ";

// Redis keeps installations apart by prefix, PostgreSQL by schema.
std::string fresh(const std::string& store, const std::filesystem::path& folder) {
  if (store == "memory:") return store;
  if (store == "sqlite:") return store + (folder / "bench.db").string();
  static int stores = 0;
  const std::string name = "bench_" + std::to_string(::getpid()) + "_" + std::to_string(++stores);
  const char* option = store.starts_with("redis") ? "prefix=" : "schema=";
  return store + (store.find('?') == std::string::npos ? "?" : "&") + option + name;
}

bool has_ended(pid_t process, int options) {
  siginfo_t state{};
  return ::waitid(P_PID, static_cast<id_t>(process), &state, WEXITED | options) == 0 &&
         state.si_pid == process;
}

}  // namespace

OwnServer::OwnServer(const OwnServerOptions& options) {
  std::string path = options.folder / "ganglion-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    throw std::runtime_error("can't make a folder in " + options.folder.string() + ": " +
                             std::strerror(errno) + "; name another one with --folder");
  }
  folder_ = path;
  try {
    std::ofstream(folder_ / "ganglion.yaml") << options.project;
    launch(options);
    wait_until_it_serves();
  } catch (...) {
    end();
    throw;
  }
}

OwnServer::~OwnServer() {
  end();
}

void OwnServer::launch(const OwnServerOptions& options) {
  // Everything that allocates happens before the fork.
  const std::string log = folder_ / "server.log";
  const std::string project = folder_ / "ganglion.yaml";
  const std::string store = fresh(options.store, folder_);
  const std::array<const char*, 10> arguments = {"ganglion", "serve",       "-f",    project.c_str(),
                                                 "--listen", "127.0.0.1:0", "--log", "off",
                                                 "--store",  store.c_str()};
  std::array<char*, arguments.size() + 1> argv{};
  for (std::size_t i = 0; i < arguments.size(); ++i) argv[i] = const_cast<char*>(arguments[i]);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("the server can't be started");
  if (pid_ > 0) return;
  ::setpgid(0, 0);  // the terminal's Ctrl-C is for the parent
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  ::unsetenv("GANGLION_TOKEN");
  const int input = ::open("/dev/null", O_RDONLY);
  const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  if (input < 0 || output < 0) ::_exit(1);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

std::string OwnServer::said() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "server.log").rdbuf();
  return std::move(text).str();
}

void OwnServer::wait_until_it_serves() {
  const auto deadline = std::chrono::steady_clock::now() + kToStart;
  while (std::chrono::steady_clock::now() < deadline && !has_ended(pid_, WNOHANG | WNOWAIT)) {
    const std::string log = said();
    const std::size_t at = log.find(kListening);
    if (at != std::string::npos && log.find('\n', at) != std::string::npos) {
      port_ = static_cast<std::uint16_t>(std::stoul(log.substr(at + kListening.size())));
      return;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  throw std::runtime_error("the benchmark's server didn't start: " + said());
}

std::vector<std::string> OwnServer::weaker_promises() const {
  std::vector<std::string> promises;
  std::istringstream lines(said());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(kWeaker);
    if (at != std::string::npos) promises.push_back(line.substr(at + kWeaker.size()));
  }
  return promises;
}

void OwnServer::end() noexcept {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + kToEnd;
    while (!has_ended(pid_, WNOHANG)) {
      if (std::chrono::steady_clock::now() > deadline) ::kill(pid_, SIGKILL);
      std::this_thread::sleep_for(kLookEvery);
    }
    pid_ = -1;
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace ganglion::bench

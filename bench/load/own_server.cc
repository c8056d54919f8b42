#include "bench/load/own_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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
constexpr std::string_view kMembersChanged = R"("members_changed")";
constexpr std::string_view kNobodyLeft = R"("left":0)";

std::string store_of(const OwnServerOptions& options, const std::filesystem::path& folder) {
  if (options.store == "memory:") return options.store;
  if (options.store == "sqlite:") return options.store + (folder / "bench.db").string();
  return placed(options.store, options.place);
}

bool has_ended(pid_t process, int options) {
  siginfo_t state{};
  return ::waitid(P_PID, static_cast<id_t>(process), &state, WEXITED | options) == 0 &&
         state.si_pid == process;
}

}  // namespace

std::string fresh_place() {
  static int places = 0;
  return "bench_" + std::to_string(::getpid()) + "_" + std::to_string(++places);
}

std::string placed(const std::string& url, const std::string& place) {
  const char* option = url.starts_with("postgres") ? "schema=" : "prefix=";
  return url + (url.find('?') == std::string::npos ? "?" : "&") + option + place;
}

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
  std::vector<std::string> arguments = {
      "ganglion", "serve", "-f", project, "--store", store_of(options, folder_), "--listen", "127.0.0.1:0"};
  if (options.bus) arguments.insert(arguments.end(), {"--bus", placed(*options.bus, options.place)});
  if (options.strategy) arguments.insert(arguments.end(), {"--strategy", *options.strategy});
  // Little is logged but who comes and goes.
  arguments.insert(arguments.end(), {"--log", options.strategy ? "json" : "off"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("the server can't be started");
  if (pid_ > 0) return;
  ::setpgid(0, 0);  // the terminal's Ctrl-C is for the parent
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const char* name : {"GANGLION_TOKEN", "GANGLION_BUS"}) ::unsetenv(name);
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

std::size_t OwnServer::members_lost() const {
  std::size_t lost = 0;
  std::istringstream lines(said());
  for (std::string line; std::getline(lines, line) && !lines.eof();)
    if (line.contains(kMembersChanged) && !line.contains(kNobodyLeft)) ++lost;
  return lost;
}

void OwnServer::kill() noexcept {
  ::kill(pid_, SIGKILL);
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

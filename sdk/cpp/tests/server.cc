#include "server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace ganglion::testing {
namespace {

// How long anything may take before a test gives up.
constexpr std::chrono::seconds kPatience{60};

std::filesystem::path new_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "ganglion-cpp-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  return name;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::filesystem::path& folder,
                 const std::map<std::string, std::string>& environment, Errors errors) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    if (!std::string_view(*entry).starts_with("GANGLION_")) variables.emplace_back(*entry);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  const auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
    all.push_back(nullptr);
    return all;
  };
  const std::vector<char*> argv = pointers(command);
  const std::vector<char*> envp = pointers(variables);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    if (::chdir(folder.c_str()) != 0) ::_exit(127);
    ::dup2(ends[1], 1);
    if (errors == Errors::with_the_output) ::dup2(ends[1], 2);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  reader_ = std::thread([this, output = ends[0]] { read(output); });
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  reader_.join();
}

void Process::read(int output) {
  std::string text;
  std::array<char, 4096> bytes{};
  for (ssize_t count; (count = ::read(output, bytes.data(), bytes.size())) > 0;) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
    const std::scoped_lock lock(mutex_);
    for (std::size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      lines_.push_back(text.substr(0, end));
    }
    changed_.notify_all();
  }
  ::close(output);
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string Process::line() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return ended_ || !lines_.empty(); })) {
    throw std::runtime_error("the program prints nothing");
  }
  if (lines_.empty()) return "";
  std::string line = std::move(lines_.front());
  lines_.pop_front();
  return line;
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

int Process::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Server::Server(const std::string& project) : folder_(new_folder()) {
  std::ofstream(folder_ / "ganglion.yaml") << project;
  start();
}

Server::~Server() {
  process_.reset();
  std::filesystem::remove_all(folder_);
}

void Server::start() {
  const char* binary = std::getenv("GANGLION_BINARY");
  if (!binary) throw std::runtime_error("GANGLION_BINARY names the server");
  process_ =
      std::make_unique<Process>(std::vector<std::string>{binary, "serve", "-f", "ganglion.yaml", "--listen",
                                                         listen_, "--store", "sqlite:test.db"},
                                folder_, std::map<std::string, std::string>{}, Errors::with_the_output);
  while (true) {
    const std::string line = process_->line();
    if (line.empty()) throw std::runtime_error("the server did not start");
    constexpr std::string_view kListening = "listening on ";
    const std::size_t at = line.find(kListening);
    if (at == std::string::npos) continue;
    url_ = line.substr(at + kListening.size());
    url_ = url_.substr(0, url_.find_first_of(" ,\t"));
    listen_ = url_.substr(std::string_view("http://").size());
    return;
  }
}

void Server::kill() {
  process_.reset();
}

RunningWorker::RunningWorker(Worker& worker)
    : worker_(worker), thread_([this] {
        try {
          worker_.run();
        } catch (...) {
          error_ = std::current_exception();
        }
      }) {}

void RunningWorker::join() {
  if (thread_.joinable()) thread_.join();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void RunningWorker::stop() {
  worker_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace ganglion::testing

#pragma once

// Processes and threads that the tests start: the real server (GANGLION_BINARY), programs, workers.

#include <sys/types.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ganglion/worker.h"

namespace ganglion::testing {

enum class Errors { to_the_tests_own, with_the_output };

// Ends with the object, by SIGKILL if nothing else ended it.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::filesystem::path& folder,
          const std::map<std::string, std::string>& environment, Errors errors = Errors::to_the_tests_own);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // The next line of its output; empty at its end. `std::runtime_error` if none comes.
  std::string line();
  void signal(int number) const;
  int wait();  // its exit status; -signal if one ended it

 private:
  void read(int output);

  pid_t pid_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  bool ended_ = false;
  std::thread reader_;  // so that a program that prints much never waits for the test
};

// A server with a store of its own in a folder of its own, on a port that stays the same over restarts.
class Server {
 public:
  explicit Server(const std::string& project);
  ~Server();

  const std::string& url() const { return url_; }
  Connection connection() const { return {.server = url_}; }
  void kill();
  void start();

 private:
  std::filesystem::path folder_;
  std::string listen_ = "127.0.0.1:0";
  std::string url_;
  std::unique_ptr<Process> process_;
};

// A worker in a thread; stops with the object.
class RunningWorker {
 public:
  explicit RunningWorker(Worker& worker);
  ~RunningWorker() { stop(); }
  // Raises what ended the worker, if anything did.
  void join();
  void stop();

 private:
  Worker& worker_;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace ganglion::testing

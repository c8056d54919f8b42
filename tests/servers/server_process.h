#pragma once

// A real server for a test: started on a loopback port of its own in a folder of its own, killed, paused and
// restarted at will. It dies with the thread that started it, whatever becomes of the test, and its folder
// goes with this object.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "servers/port_lease.h"

namespace ganglion::testing {

// Whether a program is in PATH or, with a slash, there. A test that finds it missing skips, saying which
// Debian package has it.
bool is_installed(const std::string& program);

struct ServerOptions {
  // Made from the port and the folder each time the server starts. The program must stay in the foreground.
  std::function<std::vector<std::string>(std::uint16_t port, const std::filesystem::path& folder)> command;
  // Where the server must not run as root, the account that it gets instead; root's tests alone heed it.
  std::string account = {};
  int stop_signal = 15;  // SIGTERM
};

class ServerProcess {
 public:
  explicit ServerProcess(ServerOptions options);
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Returns when the port takes connections. Also after stop() and kill(): same port, same folder. A server
  // that doesn't come up is a failed assertion with its output.
  void start();
  // Asks it to end and waits for that; kills it if it takes too long.
  void stop();
  // SIGKILL to its whole process group.
  void kill();
  // SIGSTOP and SIGCONT: connections stay, nothing is answered once `pause` has returned.
  void pause();
  void resume();

  // Runs a program to its end in the folder, as the server's account: to prepare the folder, for example.
  // Gives its exit code; its output goes into the server's.
  int run(const std::vector<std::string>& command);

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_.port(); }
  const std::filesystem::path& folder() const { return folder_; }
  // What it has printed.
  std::string output() const;

 private:
  pid_t spawn(const std::vector<std::string>& command);
  void signal(int number);

  ServerOptions options_;
  PortLease port_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

}  // namespace ganglion::testing

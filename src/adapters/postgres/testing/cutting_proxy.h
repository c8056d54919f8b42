#pragma once

// A TCP proxy in front of a server, on threads of its own, that cuts connections at a COMMIT: before the
// server gets it, or after it has answered and before the client hears of it.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace ganglion::testing {

enum class Cut { never, before_commit, after_commit };

class CuttingProxy {
 public:
  explicit CuttingProxy(std::uint16_t server_port);
  ~CuttingProxy();

  std::uint16_t port() const { return port_; }
  // At the next COMMIT, once.
  void cut_next(Cut cut) { next_cut_ = cut; }
  bool is_armed() const { return next_cut_ != Cut::never; }
  // Every connection, now.
  void cut_all();

 private:
  void accept_clients();
  void pass(int client);
  // Whether the connection goes on.
  bool pass_to_server(int client, int server);

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<Cut> next_cut_ = Cut::never;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<int> clients_;
  std::vector<std::thread> passers_;
  std::thread acceptor_;
};

}  // namespace ganglion::testing

#pragma once

// A connection that comes back: whenever one is lost the next is made, after a pause that grows while none
// comes about.

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "adapters/postgres/connection.h"

namespace ganglion::postgres {

inline constexpr std::chrono::milliseconds kFirstPause{50};
inline constexpr std::chrono::milliseconds kLongestPause{1'000};

class Link {
 public:
  struct Handlers {
    std::move_only_function<void()> ready;
    // A connection that was ready is gone, or an attempt has failed.
    std::move_only_function<void(const std::string& why)> lost;
  };

  Link(asio::io_context& loop, const Address& address, std::span<const Statement* const> statements,
       Handlers handlers);

  bool is_ready() const { return ready_; }
  // While ready.
  Connection& connection() { return *connection_; }
  // Drops a connection that came about and is of no use: the next one would hardly be, so it is made only
  // after the longest pause.
  void give_up(std::string why);

 private:
  void connect();
  void lost(const std::string& why);

  asio::io_context& loop_;
  const Address& address_;
  std::span<const Statement* const> statements_;
  Handlers handlers_;
  LoopTimer pause_;
  std::chrono::milliseconds next_pause_ = kFirstPause;
  std::unique_ptr<Connection> connection_;
  std::size_t first_host_ = 0;
  bool ready_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::postgres

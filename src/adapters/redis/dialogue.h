#pragma once

// A few commands on a connection of their own, all sent at once: for asking a sentinel or a cluster's node
// where the server is. Bounded in time.

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/redis/connection.h"

namespace ganglion::redis {

class Dialogue {
 public:
  // All answers, or why there are none.
  using Done = std::move_only_function<void(std::expected<std::vector<Reply>, std::string>)>;

  // Calls `done` once, later, unless it is destroyed before; `done` may destroy it.
  Dialogue(boost::asio::io_context& context, const Address& address, std::vector<std::string> commands,
           Done done);
  ~Dialogue();

 private:
  struct Timer;

  void say();
  void finish(std::expected<std::vector<Reply>, std::string> result);

  std::vector<std::string> commands_;
  Done done_;
  std::vector<Reply> replies_;
  Connection connection_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace ganglion::redis

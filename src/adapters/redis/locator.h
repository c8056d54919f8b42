#pragma once

// Finds the one server that takes the writes: the host of the URL, the master that the sentinels name, or the
// node of the cluster that has the slot of our keys. Asked again after every lost connection, so that a
// failover is followed.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/redis/connection.h"
#include "adapters/redis/url.h"
#include "base/result.h"

namespace ganglion::redis {

class Dialogue;

class Locator {
 public:
  using Done = std::move_only_function<void(std::expected<Address, std::string>)>;

  // Both must outlive it.
  Locator(boost::asio::io_context& context, const Url& url);
  ~Locator();

  // Calls `done` once, unless it is destroyed or asked again before: at once where the URL names the server.
  void find(Done done);
  // A node has said who has the slot now: the next `find` gives that without asking.
  void moved(std::string_view answer);

 private:
  void ask(std::size_t number);
  std::vector<std::string> questions() const;
  std::expected<Address, std::string> read(const Address& asked, const std::vector<Reply>& answers) const;
  void finish(std::expected<Address, std::string> result);

  boost::asio::io_context& context_;
  const Url& url_;
  std::size_t first_ = 0;  // of the addresses, to ask
  std::optional<Address> known_;
  std::unique_ptr<Dialogue> dialogue_;
  std::string problems_;
  Done done_;
};

}  // namespace ganglion::redis

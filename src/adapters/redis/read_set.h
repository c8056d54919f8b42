#pragma once

// The reads that wait for their answers. A read changes nothing, so one whose connection breaks is sent
// again; one that has waited for `patience` is answered as unavailable, whether it was sent or not.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "adapters/redis/link.h"
#include "base/result.h"

namespace ganglion::redis {

inline constexpr std::size_t kMaxReads = 20'000;  // that wait; beyond that they are refused at once

class ReadSet {
 public:
  using Done = std::move_only_function<void(Result<Reply>)>;

  // Both must outlive it.
  ReadSet(boost::asio::io_context& context, Link& link, std::chrono::milliseconds patience);
  // Completes nothing any more.
  ~ReadSet();

  // `done` runs later; errors are `unavailable` and `store_corrupt`.
  void push(std::string command, Done done);

  void ready();
  void tick();
  void stop() { stopped_ = true; }

 private:
  using Steady = std::chrono::steady_clock;
  struct Read {
    std::string command;
    Done done;
    Steady::time_point made;
  };

  void send(std::uint64_t number, const Read& read);
  void answered(std::uint64_t number, Reply reply);

  boost::asio::io_context& context_;
  Link& link_;
  const std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Read> reads_;  // in the order in which they were made
  std::uint64_t last_number_ = 0;
  bool stopped_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::redis

#pragma once

// Reads on a connection of their own, many under way at a time. A read is a call, what takes its answer, and
// maybe a next call; one that was under way on a connection that is lost is sent again on the next one, for
// a while. Reads see every commit that was answered before them: both are answered by the same server.

#include <chrono>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <variant>

#include "adapters/postgres/link.h"

namespace ganglion::postgres {

inline constexpr std::size_t kMaxReadsUnderWay = 64;
inline constexpr std::size_t kMaxReadsWaiting = 100'000;

// Runs on the event loop and not inside a call of ours.
using Delivery = std::move_only_function<void()>;
// Either what to ask next, behind the reads that wait, or who is told.
using NextStep = std::variant<Call, Delivery>;

struct Read {
  Call call;
  std::move_only_function<NextStep(std::expected<ResultPtr, Error>)> take;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
};

class Reader {
 public:
  Reader(asio::io_context& loop, const Address& address, std::chrono::milliseconds patience);

  void push(Read read);
  // On a new connection from now on.
  void connect_anew();

 private:
  void send_waiting();
  void answered(ResultPtr result);
  void lost(const std::string& why);
  void go_on(Read read, NextStep step);
  void refuse(Read read, const Error& why);

  asio::io_context& loop_;
  std::chrono::milliseconds patience_;
  std::deque<Read> waiting_;
  std::deque<Read> under_way_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
  Link link_;  // last: its handlers use the rest
};

}  // namespace ganglion::postgres

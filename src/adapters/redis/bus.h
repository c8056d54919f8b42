#pragma once

// The bus in Redis 7: the same server as the store's, or another one, under the same kinds of URL. A queue is
// a stream with one consumer group; everything that looks at more than one value is a function inside Redis
// (library/bus.lua). Topics are Redis' channels.
//
// Two connections, on the event loop: one asks, one is told: what is said on topics, and that a queue which
// had nothing has something. Each connection that asks is a session with a key that goes 1.2 s after the last
// sign of life; what a session had that is gone, whoever consumes the queue gives back. Deliveries of before
// a lost connection are another session's. docs/internals/bus.md has the table of failures.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/bus.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::redis {

// Publications that wait for their answers; beyond that they are refused at once.
inline constexpr std::size_t kMaxPublishingBytes = 64 << 20;

struct BusOptions {
  std::string url;  // see url.h
  // How long a call may wait for a server that is away before it is answered as unavailable.
  std::chrono::milliseconds patience{10'000};
  // How long a server may leave commands unanswered before it is taken for dead.
  std::chrono::milliseconds silence{10'000};
};

class Bus final : public ganglion::Bus {
 public:
  // Connects, for as long as `patience`, by running `context` on the caller's thread; nobody else may run it
  // then. `context` must outlive the bus. Errors: `unknown_bus` (the URL), `bus_unavailable`.
  static Result<std::unique_ptr<Bus>> open(boost::asio::io_context& context, BusOptions options);

  ~Bus() override;

  void declare(std::string queue, QueueOptions options, Completion<Result<void>> done) override;
  void publish(std::string queue, BusMessage message, Completion<Result<void>> done) override;
  ConsumerId consume(std::string queue, std::uint32_t prefetch, Consumer consumer) override;
  void cancel(ConsumerId consumer) override;
  void acknowledge(DeliveryTag delivery) override;
  void requeue(DeliveryTag delivery) override;
  void bury(DeliveryTag delivery, std::string reason) override;
  void depth(std::string queue, Completion<Result<std::uint64_t>> done) override;
  void dead_letters(std::string queue, std::uint32_t limit,
                    Completion<Result<std::vector<BusMessage>>> done) override;
  void remove(std::string queue, Completion<Result<void>> done) override;
  void broadcast(std::string topic, BusMessage message) override;
  void listen(std::string topic, Listener listener, std::function<void()> lost,
              Completion<Result<void>> ready) override;
  // As the server's settings were when it was last connected to.
  std::vector<std::string> weaker_promises() const override;

 private:
  class Parts;
  explicit Bus(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion::redis

#pragma once

// The bus in Kafka 3.0 or newer, through librdkafka, whose threads never call into here: what it has to say
// comes through its queues, which the event loop empties.
//
// Kafka knows no queue: it has logs, and groups that divide a log's partitions among them, so that a message
// behind a slow consumer waits though others are idle, and nobody counts who had it. So who has which message
// is agreed on in a log of its own, the ledger (ledger.h). docs/internals/bus.md says how, and has the table
// of failures.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/bus.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::kafka {

struct Options {
  std::string url;  // see url.h
  // How long a call may wait for brokers that are away before it is answered as unavailable.
  std::chrono::milliseconds patience{10'000};
  // How long a broker may leave something unanswered before it is taken for dead.
  std::chrono::milliseconds silence{10'000};
};

class Bus final : public ganglion::Bus {
 public:
  // Connects, for as long as `patience` and at least twenty seconds, by running `context` on the caller's
  // thread; nobody else may run it then. `context` must outlive the bus. Errors: `unknown_bus` (the URL),
  // `bus_unavailable`.
  static Result<std::unique_ptr<Bus>> open(boost::asio::io_context& context, Options options);

  // Says that this process leaves, and waits half a second at most until that is known.
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
  std::vector<std::string> weaker_promises() const override;

 private:
  class Parts;
  explicit Bus(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion::kafka

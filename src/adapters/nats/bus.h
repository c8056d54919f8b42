#pragma once

// The bus in NATS 2.9 or newer with JetStream. Everything runs on the event loop, over one connection.
//
// libnats isn't used. Its calls for JetStream block, so that each consumer would need a thread; what it calls
// back comes from threads of its own, where "the connection is lost" and a delivery of before that may
// overtake each other; and we must know which deliveries a lost connection has voided. The protocol is a few
// lines of text (protocol.h).
//
// While NATS is away, publications and questions wait and are sent again; those that were not answered within
// `patience` are answered as unavailable. Queues that this process has declared are declared again where a
// server came back without them, consumers consume again, listeners listen again. docs/internals/bus.md has
// the table of failures.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "ports/bus.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::nats {

struct Options {
  std::string url;  // see url.h
  // How long a call may wait for a server that is away before it is answered as unavailable.
  std::chrono::milliseconds patience{10'000};
  // How long a server may give no sign of life before it is taken for dead.
  std::chrono::milliseconds silence{10'000};
};

class Bus final : public ganglion::Bus {
 public:
  // Connects, for as long as `patience`, by running `context` on the caller's thread; nobody else may run it
  // then. `context` must outlive the bus. Errors: `unknown_bus` (the URL), `bus_unavailable`.
  static Result<std::unique_ptr<Bus>> open(boost::asio::io_context& context, Options options);

  ~Bus() override;

  void declare(std::string queue, QueueOptions options, Completion<Result<void>> done) override;
  void publish(std::string queue, BusMessage message, Completion<Result<void>> done) override;
  ConsumerId consume(std::string queue, std::uint32_t prefetch, Consumer consumer) override;
  void cancel(ConsumerId consumer) override;
  void acknowledge(DeliveryTag delivery) override;
  void requeue(DeliveryTag delivery) override;
  void bury(DeliveryTag delivery, std::string reason) override;
  // Without what was delivered once and waits to be delivered again.
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

}  // namespace ganglion::nats

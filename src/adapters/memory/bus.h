#pragma once

// The bus port over a memory::Broker: one process' connection to it. For tests, for the simulator, and for an
// installation that is one process. The connection can be cut and mended, as a network would.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/memory/broker.h"
#include "ports/bus.h"
#include "ports/clock.h"

namespace ganglion::memory {

class Bus final : public ganglion::Bus {
 public:
  // How long a call waits for a connection that is cut.
  static constexpr Duration kPatience{10'000};

  // Both must outlive it.
  Bus(Broker& broker, Clock& clock) : broker_(broker), clock_(clock) {}
  // As if the process had been killed.
  ~Bus() override;

  void declare(std::string queue, QueueOptions options, Completion<Result<void>> done) override;
  void publish(std::string queue, BusMessage message, Completion<Result<void>> done) override;
  ConsumerId consume(std::string queue, std::uint32_t prefetch, Consumer consumer) override;
  void cancel(ConsumerId consumer) override;
  void acknowledge(DeliveryTag delivery) override { settle(delivery, Broker::Fate::done); }
  void requeue(DeliveryTag delivery) override { settle(delivery, Broker::Fate::back); }
  void bury(DeliveryTag delivery, std::string) override { settle(delivery, Broker::Fate::buried); }
  void depth(std::string queue, Completion<Result<std::uint64_t>> done) override;
  void dead_letters(std::string queue, std::uint32_t limit,
                    Completion<Result<std::vector<BusMessage>>> done) override;
  void remove(std::string queue, Completion<Result<void>> done) override;
  void broadcast(std::string topic, BusMessage message) override;
  void listen(std::string topic, Listener listener, std::function<void()> lost,
              Completion<Result<void>> ready) override;
  std::vector<std::string> weaker_promises() const override;

  // The broker sees this process go; it comes back with `mend`.
  void cut();
  void mend();

 private:
  struct Subscription {
    std::string queue;
    std::uint32_t prefetch;
    std::shared_ptr<Consumer> consumer;
    SeatId seat;
  };
  struct Ear {
    std::string topic;
    std::shared_ptr<Listener> listener;
    std::function<void()> lost;
    SeatId seat;
  };
  // A call that waits for the connection; without one until its deadline.
  using Call = std::move_only_function<void(bool connected)>;

  template <typename T, typename Ask>
  void call(Completion<Result<T>> done, Ask ask);
  template <typename T>
  void complete(Completion<Result<T>> done, Result<T> result);
  void settle(DeliveryTag delivery, Broker::Fate fate);
  void sit_down(ConsumerId consumer);
  void deliver(ConsumerId consumer, Delivery delivery);
  void hear(std::size_t ear);

  Broker& broker_;
  Clock& clock_;
  bool connected_ = true;
  std::map<ConsumerId, Subscription> consumers_;
  std::map<DeliveryTag, SeatId> held_;
  std::deque<Ear> ears_;
  std::map<std::uint64_t, std::pair<TimerId, Call>> waiting_;  // in the order of the calls
  std::uint64_t last_call_ = 0;
  ConsumerId last_consumer_;
  // What is posted holds it weakly: nothing runs once the bus is gone.
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::memory

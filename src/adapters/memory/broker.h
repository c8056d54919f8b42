#pragma once

// A message broker in plain memory: the reference for what a bus promises. Several processes of a simulation
// share one, each through a Bus of its own; it lives longer than they do, as a broker does. Deterministic:
// ordered containers, consumers served in turn, everything handed over by the clock of whoever gets it.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/bus.h"

namespace ganglion::memory {

// A consumer of any process.
using SeatId = StrongId<struct SeatIdTag, std::uint64_t>;

class Broker {
 public:
  using Deliver = std::function<void(Delivery)>;
  using Hear = std::function<void(const BusMessage&)>;

  void declare(const std::string& queue, QueueOptions options);
  Result<void> publish(const std::string& queue, BusMessage message);
  Result<std::uint64_t> depth(const std::string& queue) const;
  Result<std::vector<BusMessage>> dead_letters(const std::string& queue, std::uint32_t limit) const;
  void remove(const std::string& queue);

  // `deliver` may not call back: it posts. The queue needn't be there.
  SeatId sit_down(const std::string& queue, std::uint32_t prefetch, Deliver deliver);
  // What it has unacknowledged goes back.
  void leave(SeatId seat);
  bool holds(SeatId seat, DeliveryTag delivery) const;
  enum class Fate { done, back, buried };
  // A delivery that isn't with that consumer any more is left alone.
  void settle(SeatId seat, DeliveryTag delivery, Fate fate);

  void broadcast(const std::string& topic, const BusMessage& message) const;
  // `hear` may not call back.
  SeatId listen(const std::string& topic, Hear hear);
  void stop_listening(SeatId seat) { listeners_.erase(seat); }

 private:
  struct Message {
    BusMessage message;
    std::uint32_t deliveries = 0;
  };
  struct Queue {
    QueueOptions options;
    std::deque<Message> waiting;
    std::deque<BusMessage> dead;
  };
  struct Seat {
    std::string queue;
    std::uint32_t prefetch;
    Deliver deliver;
    std::map<DeliveryTag, Message> held;
  };
  struct Listener {
    std::string topic;
    Hear hear;
  };

  void serve(const std::string& queue);
  std::optional<SeatId> next_free_seat(const std::string& queue);
  void give_back(const std::string& queue, Message message);
  static void bury(Queue& queue, BusMessage message);

  std::map<std::string, Queue> queues_;
  std::map<SeatId, Seat> seats_;
  std::map<std::string, SeatId> last_served_;
  std::map<SeatId, Listener> listeners_;
  SeatId last_seat_;
  DeliveryTag last_tag_;
};

}  // namespace ganglion::memory

#pragma once

// What carries messages between the processes of an installation: tasks to agents, results and inputs to
// coordinators. A transport, never the record: what a message asks for stands in a journal before it is
// published, and whoever gets it twice changes nothing the second time.
//
// Queues are named, persistent and shared: each message goes to one of their consumers, again if that one
// dies before it has acknowledged it. Order is kept as far as the broker keeps it; nobody relies on it.
// Topics are neither persistent nor shared: each message goes to whoever listens at that moment.
//
// Calls are asynchronous. Completions and deliveries run on the event loop that made the call, never inside
// the call; those of publications that a queue takes run in the order of the calls while the connection
// holds. An adapter reconnects by itself, and may publish again what was on its way; what it could not
// publish until a deadline is answered with `unavailable`, and may have been published all the same. Nothing
// is called any more once the bus is destroyed, and what its consumers had is as if they had died.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "base/time.h"

namespace ganglion {

// Bytes; a message with more is refused as `too_large`.
inline constexpr std::size_t kMaxBusMessage = 4 << 20;  // of a body
inline constexpr std::size_t kMaxBusProperty = 255;     // of everything else that a message has
// Bytes of the name of a queue or a topic: letters, digits, `-`, `_`, `.` and `:`.
inline constexpr std::size_t kMaxBusName = 128;
// Of one queue; beyond it the oldest are thrown away.
inline constexpr std::uint32_t kMaxDeadLetters = 10'000;

// Any bytes may stand in each of them.
struct BusMessage {
  std::string id;        // the same when it is published again
  std::string type;      // of the body, with its version, such as `ganglion.task.v1`
  std::string reply_to;  // the queue for an answer; empty where nobody waits for one
  std::string body;

  bool operator==(const BusMessage&) const = default;
};

using DeliveryTag = StrongId<struct DeliveryTagTag, std::uint64_t>;
using ConsumerId = StrongId<struct ConsumerIdTag, std::uint64_t>;

struct Delivery {
  DeliveryTag tag;
  BusMessage message;
  // Whether somebody may have had it before. Never false for a message that was delivered before.
  bool redelivered = false;
};

struct QueueOptions {
  // Messages that wait; beyond it a publication is refused as `overloaded`. What is on its way at the same
  // moment may still be taken, and a broker may go on refusing until there is some room again.
  std::uint64_t max_length = 1'000'000;
  // After so many deliveries without an acknowledgement a message goes to the queue's dead letters.
  std::uint32_t max_deliveries = 20;
  // For so long a message may stay unacknowledged with a consumer that hangs, where the broker can't tell
  // that from one that works: longer than anybody who is well keeps one. A consumer that has died or is cut
  // off is noticed much sooner.
  Duration claim_after{900'000};

  bool operator==(const QueueOptions&) const = default;
};

class Bus {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;
  using Consumer = std::function<void(Delivery)>;
  using Listener = std::function<void(const BusMessage&)>;

  virtual ~Bus() = default;

  // --- queues ---
  // Makes it, where it isn't there, together with its dead letters. Before anything else is done with the
  // queue; again with the same options changes nothing. Error `queue_differs` where it exists with others
  // that the broker can't change.
  virtual void declare(std::string queue, QueueOptions options, Completion<Result<void>> done) = 0;
  // Answered when the broker has it for good. Errors: `overloaded`, `too_large`, `unavailable`, and
  // `unknown_queue` where nobody has declared it, or somebody has removed it.
  virtual void publish(std::string queue, BusMessage message, Completion<Result<void>> done) = 0;
  // At most `prefetch` messages, one at least, are with the consumer unacknowledged. It goes on over lost
  // connections, and over the queue's absence.
  virtual ConsumerId consume(std::string queue, std::uint32_t prefetch, Consumer consumer) = 0;
  // Nothing is delivered any more; what is unacknowledged goes back to the queue.
  virtual void cancel(ConsumerId consumer) = 0;
  // Of a delivery from before a lost connection: nothing happens, it comes again.
  virtual void acknowledge(DeliveryTag delivery) = 0;
  // Back to the queue, to be delivered again, to anybody.
  virtual void requeue(DeliveryTag delivery) = 0;
  // Never again: to the queue's dead letters. `reason` goes with it where the broker has a place for it.
  virtual void bury(DeliveryTag delivery, std::string reason) = 0;
  // Messages that wait, without those that are with consumers where the broker can tell them apart.
  virtual void depth(std::string queue, Completion<Result<std::uint64_t>> done) = 0;
  // The oldest dead letters of a queue, at most `limit`; they stay. For a person who looks: two who look at
  // the same time may see fewer, in another order.
  virtual void dead_letters(std::string queue, std::uint32_t limit,
                            Completion<Result<std::vector<BusMessage>>> done) = 0;
  // Throws the queue away, and its dead letters.
  virtual void remove(std::string queue, Completion<Result<void>> done) = 0;

  // --- topics ---
  // Names of words between dots. Nobody is told whether somebody has listened.
  virtual void broadcast(std::string topic, BusMessage message) = 0;
  // Calls `listener` for all messages from the moment at which `ready` is called, until the bus is gone, and
  // says `lost` when some may have been missed: after a lost connection, once it listens again.
  virtual void listen(std::string topic, Listener listener, std::function<void()> lost,
                      Completion<Result<void>> ready) = 0;

  // One line for each promise that this broker, as configured, can't keep; empty for all of them.
  virtual std::vector<std::string> weaker_promises() const = 0;
};

}  // namespace ganglion

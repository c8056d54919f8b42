#pragma once

// Publications and their confirmations. A publication waits (no connection, or enough are on their way), then
// is on its way until NATS has answered it. What was on its way when the connection broke is published again.
// One that is older than `patience` is answered as unavailable, wherever it is.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "adapters/nats/link.h"
#include "adapters/nats/names.h"
#include "ports/bus.h"

namespace ganglion::nats {

// That wait or are on their way; beyond that they are refused at once.
inline constexpr std::size_t kMaxPublishingBytes = 64 << 20;
// On their way.
inline constexpr std::size_t kMaxUnconfirmed = 4096;
// That the socket hasn't taken; then the rest waits.
inline constexpr std::size_t kMaxBacklog = 4 << 20;

class Publisher {
 public:
  using Done = Bus::Completion<Result<void>>;

  // All must outlive it.
  Publisher(boost::asio::io_context& context, Link& link, const Names& names,
            std::chrono::milliseconds patience);
  // Completes nothing any more.
  ~Publisher();

  // `done` runs later.
  void publish(std::string queue, BusMessage message, Done done);
  // Dropped where it can't be sent now; doesn't wait for `ready`.
  void broadcast(const std::string& topic, const BusMessage& message);

  // The connection is there, and so are the queues.
  void ready();
  void lost();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Publication {
    std::string queue;
    BusMessage message;
    Done done;
    Steady::time_point made;
  };

  void pump_soon();
  void pump();
  // False where the server takes no message of this size.
  bool send(const std::string& subject, const std::string& reply, const BusMessage& message);
  void heard(const Incoming& incoming);
  void finish(Publication publication, Result<void> result);
  void later(Done done, Result<void> result);

  boost::asio::io_context& context_;
  Link& link_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
  bool open_ = false;
  std::string inbox_;
  std::deque<Publication> waiting_;
  std::map<std::uint64_t, Publication> on_their_way_;  // in the order of the calls
  std::uint64_t last_number_ = 0;
  std::size_t bytes_ = 0;  // of all of them
  bool pump_is_due_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::nats

#pragma once

// Publications and their confirmations, on a connection of their own: while the broker is short of memory or
// disk it reads nothing more from a connection that publishes.
//
// A publication waits (no connection, the broker takes none, or enough are on their way), then is on its way
// until the broker has confirmed it. What was on its way when the connection broke is published again. One
// that is older than `patience` is answered as unavailable, wherever it is.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "adapters/rabbitmq/link.h"
#include "adapters/rabbitmq/names.h"
#include "ports/bus.h"

namespace ganglion::rabbitmq {

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
  // Into the topics' exchange; dropped where it can't be sent now.
  void broadcast(const std::string& topic, const BusMessage& message);

  void ready();
  void lost();
  void blocked(bool blocked);
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Publication {
    std::string queue;
    BusMessage message;
    Done done;
    Steady::time_point made;
    bool returned = false;  // the broker has no such queue
  };

  void pump_soon();
  void pump();
  void send(std::uint64_t number, const Publication& publication);
  void heard(const Incoming& incoming);
  void settled(std::uint64_t number, bool multiple, bool taken);
  void finish(Publication publication, Result<void> result);
  void later(Done done, Result<void> result);

  boost::asio::io_context& context_;
  Link& link_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
  Channel confirmed_ = 0;  // the channel on which everything is confirmed
  Channel spoken_ = 0;     // the one for topics, on which nothing is
  bool blocked_ = false;
  std::deque<Publication> waiting_;
  std::map<std::uint64_t, Publication> on_their_way_;  // by the channel's count
  std::uint64_t last_number_ = 0;
  std::size_t bytes_ = 0;  // of all of them
  bool pump_is_due_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::rabbitmq

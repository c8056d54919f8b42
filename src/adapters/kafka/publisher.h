#pragma once

// Publications. How many messages wait in a queue is where its last one is, less what has been given to
// somebody: the first is known from confirmations, so that another process' publications are noticed with the
// next one of one's own.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapters/kafka/names.h"
#include "adapters/kafka/patience.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/session.h"
#include "ports/bus.h"

namespace ganglion::kafka {

// That wait or are on their way; beyond either they are refused at once. What else is produced has room
// beside them.
inline constexpr std::size_t kMaxPublishing = 100'000;
inline constexpr std::size_t kMaxPublishingBytes = 64 << 20;
static_assert(kMaxPublishing < kMaxProducing);

class Publisher {
 public:
  using Done = Bus::Completion<Result<void>>;

  // All must outlive it.
  Publisher(boost::asio::io_context& context, Session& session, Producer& producer, Patience& patience,
            const Names& names)
      : context_(context), session_(session), producer_(producer), patience_(patience), names_(names) {}

  // `done` runs later.
  void publish(std::string queue, BusMessage message, Done done);
  // Nobody is told.
  void broadcast(const std::string& topic, const BusMessage& message);

 private:
  struct Traffic {
    Offset made = 0;
    Offset end = 0;                // where the next message will be, as far as known
    std::uint64_t on_its_way = 0;  // messages
  };

  void send(const LedgerQueue& to, const std::string& queue, const BusMessage& message, Done done);
  Traffic& traffic_of(const LedgerQueue& to, const std::string& queue);
  void later(Done done, Result<void> result);

  boost::asio::io_context& context_;
  Session& session_;
  Producer& producer_;
  Patience& patience_;
  const Names& names_;
  std::map<std::string, Traffic> traffic_;
  std::size_t count_ = 0;  // on their way
  std::size_t bytes_ = 0;  // of these
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka

#pragma once

// Who consumes in this process, and what they have. A queue's consumers want as many places as they have room
// for; what comes in a place of this process' is delivered to one of them, in turn. A message for which none
// has room (its consumer was cancelled, or it was inherited from a process that ended) goes back.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "adapters/kafka/names.h"
#include "adapters/kafka/reader.h"
#include "adapters/kafka/returns.h"
#include "adapters/kafka/session.h"
#include "ports/bus.h"

namespace ganglion::kafka {

class Consumers {
 public:
  // All must outlive it.
  Consumers(boost::asio::io_context& context, Session& session, Reader& reader, Returns& returns,
            const Names& names);

  ConsumerId add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer);
  // What it has beyond that stays with it.
  void resize(ConsumerId consumer, std::uint32_t prefetch);
  void cancel(ConsumerId consumer);
  void acknowledge(DeliveryTag delivery);
  void requeue(DeliveryTag delivery);
  void bury(DeliveryTag delivery, std::string reason);

  // Of the session.
  void changed(const Change& change);
  void lost();
  void began() { want_soon(); }

 private:
  struct Subscription {
    std::string queue;
    std::uint32_t prefetch = 0;
    std::shared_ptr<Bus::Consumer> consumer;
    std::uint32_t held = 0;
  };
  struct Held {
    ConsumerId consumer;
    Place place;
    BusMessage message;
    std::uint32_t deliveries = 0;  // before this one
  };
  // What this process has of a queue.
  struct Share {
    Offset made = 0;
    std::uint32_t wanted = 0;                      // places that it has said it wants
    std::map<Offset, std::uint32_t> awaited = {};  // its places that nothing was read from yet; and `passed`
    std::uint32_t open = 0;                        // messages with consumers, or about to be
    std::map<Offset, Record> ahead = {};           // read, of places that nobody has yet
    std::size_t ahead_bytes = 0;
    bool reading = false;
    Offset position = 0;  // that is read next
  };
  struct Ready {
    Place place;
    Record record;
    std::uint32_t deliveries = 0;
  };

  void want_soon();
  void want();
  void want_of(const std::string& queue, const LedgerQueue& now);
  void granted(const Granted& grant);
  void removed(const std::string& queue);
  void read_on(const std::string& queue, Share& share);
  bool comes(const std::string& queue, const Share& share, Offset need) const;
  void read(const std::string& queue, Share& share, Offset from);
  void stop(const std::string& queue, Share& share);
  void arrived(const std::string& queue, Record record);
  void skip_holes(const std::string& queue, Share& share, Offset before);
  void forget_ahead(Share& share, const Range& range);
  void ready(const std::string& queue, Share& share, Record record, std::uint32_t passed);
  void deliver_soon();
  void deliver_all();
  void deliver(Ready ready);
  std::map<ConsumerId, Subscription>::iterator with_room(const std::string& queue);
  std::uint64_t room_of(const std::string& queue) const;
  std::uint32_t max_deliveries(const std::string& queue) const;
  std::optional<Held> settle(DeliveryTag delivery);
  void give_back(Held held);
  void closed(const Place& place);

  boost::asio::io_context& context_;
  Session& session_;
  Reader& reader_;
  Returns& returns_;
  const Names& names_;
  std::map<ConsumerId, Subscription> subscriptions_;
  std::map<std::string, Share> shares_;
  std::map<DeliveryTag, Held> held_;
  std::deque<Ready> ready_;
  ConsumerId last_consumer_;
  ConsumerId last_served_;
  DeliveryTag last_tag_;
  bool wants_soon_ = false;
  bool delivers_soon_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka

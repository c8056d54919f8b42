#pragma once

// Messages on their way out of a process' hands: back to their queue, or to its dead letters. Each is
// produced again, at the end, and its old place is done once that is confirmed. Before it is produced the
// ledger is asked once more whether the place is still this process': what another one has inherited is that
// one's.

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "adapters/kafka/errands.h"
#include "adapters/kafka/names.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/session.h"
#include "ports/bus.h"

namespace ganglion::kafka {

// Where a message is.
struct Place {
  std::string queue;
  Offset made = 0;
  Offset offset = 0;
};

class Returns {
 public:
  // All must outlive it.
  Returns(Session& session, Producer& producer, Errands& errands, const Names& names)
      : session_(session), producer_(producer), errands_(errands), names_(names) {}

  // `deliveries`: how often somebody has had it by now.
  void give_back(Place place, BusMessage message, std::uint32_t deliveries);
  void bury(Place place, BusMessage message, std::string reason);

  // Others have all that was here.
  void lost() { items_.clear(); }
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Item {
    Place place;
    BusMessage message;
    Headers headers;
    bool is_dead = false;
    bool is_under_way = false;
    Steady::time_point again = {};
  };
  using Items = std::list<std::shared_ptr<Item>>;

  void add(Item item);
  void go(const std::shared_ptr<Item>& item);
  void send(const std::shared_ptr<Item>& item);
  void sent(const std::shared_ptr<Item>& item, const Result<Offset>& result);
  bool is_here(const std::shared_ptr<Item>& item) const;

  Session& session_;
  Producer& producer_;
  Errands& errands_;
  const Names& names_;
  Items items_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka

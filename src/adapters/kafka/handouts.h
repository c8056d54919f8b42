#pragma once

// What plain clients of Kafka take. They know groups and nothing of the ledger, so for each queue there is a
// topic of several partitions for a group of theirs. While that group has members, one process of the
// installation, the keeper, consumes the queue for them: it copies each message there, and acknowledges it
// once the group has committed the copy. When the group has no members left, what they had goes back to the
// queue, and what is left of the copies is thrown away.
//
// Of a group only Kafka knows who is busy, so as few messages as possible are with it: at first one for each
// member, twice as many each time that all of them are done at the next look, and again one for each when one
// takes long.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/kafka/consumers.h"
#include "adapters/kafka/errands.h"
#include "adapters/kafka/names.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/session.h"

namespace ganglion::kafka {

class Handouts {
 public:
  // All must outlive it.
  Handouts(Session& session, Consumers& consumers, Producer& producer, Errands& errands, const Names& names)
      : session_(session), consumers_(consumers), producer_(producer), errands_(errands), names_(names) {}

  void tick();
  // Others have what was consumed here.
  void lost();

 private:
  using Steady = std::chrono::steady_clock;
  struct Copy {
    DeliveryTag original;
    Steady::time_point made;
  };
  // Of a queue whose group has members.
  struct Counter {
    ConsumerId consumer;
    std::uint32_t at_once = 0;
    std::vector<std::map<std::int64_t, Copy>> copies;  // by partition and offset
    std::size_t turn = 0;                              // the partition of the next one
  };

  void look(const std::set<std::string>& groups);
  void told(const std::string& queue, const GroupState& state);
  void open(const std::string& queue, std::size_t members);
  void close(const std::string& queue);
  void copy(const std::string& queue, Delivery delivery);
  void acknowledge(Counter& counter, const std::vector<std::int64_t>& committed);
  void resize(Counter& counter, std::size_t members);

  Session& session_;
  Consumers& consumers_;
  Producer& producer_;
  Errands& errands_;
  const Names& names_;
  std::map<std::string, Counter> counters_;
  bool looking_ = false;
  Steady::time_point looked_;
};

}  // namespace ganglion::kafka

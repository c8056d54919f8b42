#pragma once

// Up from the queues: tasks that this process' agents take. A pool takes from an agent's queue what somebody
// here waits for, so that tasks lie where all can have them, not with one that is busy.
//
// A task is acknowledged when its attempt is decided. One that is kept for long is claimed at its home first
// and acknowledged then, because brokers don't wait for ever: from then on the home knows who has it. One
// that nobody here takes after all goes back to the queue.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cluster/token_hash.h"
#include "cluster/watch_list.h"
#include "core/ids.h"
#include "ports/bus.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion::agents {
class Pool;
}

namespace ganglion::cluster {

struct ConsumerOptions {
  std::uint32_t most = 1024;        // tasks of one agent that are with this process unacknowledged
  Duration stranded{1'000};         // so long a task waits here for a poll before it goes back
  Duration longest_hold{600'000};   // before a task is claimed; half its timeout where that is shorter
  Duration claim_again{5'000};      // after a home that didn't answer
  Duration idle{10'000};            // so long after the last poll nothing is taken any more
  std::size_t remembered = 10'000;  // attempts that were decided here: the same ones coming again are dropped
};

class TaskConsumer {
 public:
  struct Surroundings {
    Bus& bus;
    Clock& clock;
    agents::Pool& pool;
    // Makes sure that the pool can look the task's agent up.
    std::function<void(const std::string& definition, std::move_only_function<void(Result<void>)>)> prepare;
    // Whether this process may hand this agent's tasks out.
    std::function<bool(const std::string& agent)> performs;
    // Tells the home of these that they are kept here; `heard` when it knows.
    std::function<void(const AttemptToken& token, const std::string& workflow,
                       std::move_only_function<void(bool)> heard)>
        claim;
    // Tells the home of a task that was claimed that nobody here does it after all.
    std::function<void(const AttemptToken& token, const std::string& workflow)> give_back;
    std::function<void(const Error& problem)> problem;
  };

  explicit TaskConsumer(Surroundings around, ConsumerOptions options = {});

  // Takes tasks of an agent that this process carries out itself, as many at once.
  void serve(const std::string& agent, std::uint32_t at_once);
  // Somebody waits for tasks of this agent.
  void wanted(const std::string& agent);

  void withdrawn(const AttemptToken& token);
  // The attempt has been decided.
  void decided(const AttemptToken& token);
  // The workflow of a task that came from a queue and is here; null for others.
  const std::string* workflow_of(const AttemptToken& token) const;
  std::size_t held() const { return held_.size(); }

 private:
  struct Held {
    std::string agent;
    std::string workflow;
    DeliveryTag delivery;
    BusMessage message;         // to put it back
    bool acknowledged = false;  // its home knows that it is here
    Timestamp since;
    Timestamp claim_at;
  };
  struct Source {
    std::uint32_t room = 0;  // that all consumers have together
    std::uint32_t held = 0;
    bool declared = false;
    bool declaring = false;
    bool stays = false;  // nobody polls for it: this process carries it out
    Timestamp wanted;    // last
    std::vector<ConsumerId> consumers = {};
  };

  void open(const std::string& agent, std::uint32_t more);
  void delivered(const std::string& agent, Delivery delivery);
  void take(const std::string& agent, Delivery delivery, Task task);
  void let_go(const AttemptToken& token);
  void put_back(const AttemptToken& token);
  void claim(const AttemptToken& token);
  void look(const std::vector<AttemptToken>& due);
  void look_after(const AttemptToken& token, Held& held);
  void close_idle_later();
  void close_idle();

  Surroundings around_;
  const ConsumerOptions options_;
  std::map<std::string, Source> sources_;
  std::unordered_map<AttemptToken, Held, TokenHash> held_;
  WatchList watched_;
  std::unordered_set<AttemptToken, TokenHash> lately_;  // decided
  std::deque<AttemptToken> lately_in_order_;
  bool closing_ = false;  // idle sources will be looked for
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

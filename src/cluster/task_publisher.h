#pragma once

// Down: tasks of the runs that are at home here, to whoever performs them. A task goes to this process' own
// pool where somebody there waits for one like it, or has asked a moment ago and will again; else, or if
// nobody comes, to the queue of its agent, from which the pools of all members and plain clients of the
// broker take it.
//
// The journal is the record, so nothing of this is durable: a task is published until the broker has it, or
// somebody has come for it here meanwhile; whoever becomes the home of its run publishes it again, and so
// does its home where somebody has removed the queue.
//
// Whoever takes a task from a queue and is a member says so if it keeps it for long (a claim): then the
// member keeps the attempt's clock, and its death gives the task back. Of a plain client nobody knows when it
// took the task, only that it has: none waits in the queue any more. From then on it has the attempt's whole
// timeout, so an attempt that hangs is ended after one to three of its timeouts, never too early.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

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

struct PublisherOptions {
  Duration try_again{200};         // after a broker that was unavailable or a queue that was full
  Duration lately{50};             // a worker that has asked within this time will ask again
  Duration stranded{20};           // so long a task waits in the own pool for a poll before it is published
  Duration shortest_watch{1'000};  // between two looks at a queue, for attempts of whatever timeout
};

class TaskPublisher final : public TaskQueue {
 public:
  struct Surroundings {
    Bus& bus;
    Clock& clock;
    agents::Pool* pool;  // of this process; null without the role `agents`
    // Whether the pool may hand this agent's tasks out.
    std::function<bool(const std::string& agent)> performs;
    // The queue for answers to tasks of this workflow.
    std::function<std::string(const std::string& workflow)> reply_to;
    // Told to every member that may have the tasks.
    std::function<void(const std::vector<AttemptToken>& tokens)> withdrawn;
    // An attempt that ran out of time, or a task that is to be handed out anew.
    std::function<void(TaskReport report)> report;
    std::function<void(const AttemptToken& token)> perform_again;
    std::function<void(const Error& problem)> problem;
  };

  explicit TaskPublisher(Surroundings around, PublisherOptions options = {});

  void dispatch(Task task) override;
  void withdraw(const AttemptToken& token) override;

  // A worker here has asked for tasks of this agent.
  void polled(const std::string& agent);
  // The attempt has ended, or the run has another home.
  void forget(const AttemptToken& token);
  // A member has this attempt and watches over it. False for one that nobody here knows.
  bool claimed(const AttemptToken& token, const std::string& member);
  // What it had claimed is performed again.
  void member_gone(const std::string& member);
  // When the attempt was handed out, as far as anybody here knows; nothing for an unknown one.
  std::optional<Timestamp> published_at(const AttemptToken& token) const;

  std::size_t open() const { return open_.size(); }

 private:
  enum class Where : std::uint8_t { here, on_its_way, queue, member };
  struct Open {
    Where where = Where::on_its_way;
    Timestamp since;
    Duration timeout{};
    std::string agent;
    std::string member = {};
    bool taken = false;  // no task waited in the queue: somebody has it
    std::unique_ptr<Task> task =
        {};  // until the broker has it; where it is here, until the pool has handed it out
  };

  bool is_wanted_here(const Task& task) const;
  void hand_over(const AttemptToken& token);
  void publish(const AttemptToken& token);
  void send(const AttemptToken& token);
  void published(const AttemptToken& token, const Result<void>& result);
  void look(const std::vector<AttemptToken>& due);
  void look_here(const AttemptToken& token, Open& open);
  void look_at_queue(const std::string& agent, std::vector<AttemptToken> tokens);
  void queue_removed(const std::vector<AttemptToken>& tokens);
  void tell_withdrawn();

  Surroundings around_;
  const PublisherOptions options_;
  std::unordered_map<AttemptToken, Open, TokenHash> open_;  // looked up, never walked
  WatchList watched_;
  std::set<std::pair<std::string, AttemptToken>> claimed_;  // by member
  std::unordered_set<std::string> declared_;
  std::unordered_map<std::string, Timestamp> polled_;  // agents, and when somebody here asked last
  std::vector<AttemptToken> withdrawn_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

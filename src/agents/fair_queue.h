#pragma once

// The order in which the tasks of one agent are handed out: by priority; within a priority shared out evenly
// among keys (tenants); within a key in order of arrival.
//
// Sharing out is start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996) with
// every task at cost 1. Each key has a start tag. The key with the lowest goes next, and its tag grows by
// one; the virtual time is the tag that was served last, and a key that comes (back) starts there, however
// much or little it used before, but not before its own tag: leaving and coming back gains nothing. Among
// equal tags the key goes first whose turn has lasted longest. From that follows the bound: a task that
// arrives as the only one of its key waits for at most one task of each other key (of its priority).
//
// The tag belongs to the key, not to the task, so tasks that are withdrawn cost their key nothing.
//
// A task that was taken may be put back: it keeps the turn it had, goes before everything that was behind it,
// and isn't counted twice.
//
// Keys without tasks are remembered only while the virtual time hasn't reached their tag, and at most
// kMaxResting of them: then the virtual time moves on, so that a flood of keys with one task each can't keep
// a key from its second turn for ever. An empty priority is forgotten as a whole.
//
// Tasks are linked, not copied: what waits derives from FairQueue::Item and stays where it is. Costs are
// logarithmic in the number of keys and of the key's tasks; a task costs one map node.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::agents {

class FairQueue {
 public:
  static constexpr std::size_t kMaxResting = 1024;  // keys, of one priority

  class Item;

  // How the first task of one queue compares with that of another: by priority, then by who has waited longer
  // for this turn. So between queues, too, nobody is passed by twice.
  struct Rank {
    std::int32_t priority;
    std::uint64_t since;
    bool operator<(const Rank& other) const {
      return priority != other.priority ? priority > other.priority : since < other.since;
    }
  };

  // `serial` counts arrivals and turns, for all queues that are compared with each other; it outlives them.
  explicit FairQueue(std::uint64_t& serial) : serial_(serial) {}

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  void add(Item& item, std::string_view key, std::int32_t priority);
  // Of a queue that isn't empty.
  Item& front();
  Rank rank() const;

  // Takes the front out and charges its key for it.
  Item& take();
  // Takes the item out for nothing, wherever it stands.
  void remove(Item& item);
  // After `take` or `remove`: where it was.
  void put_back(Item& item);

  void for_each(const std::function<void(Item&)>& visit) const;
  std::size_t resting() const;  // keys remembered without tasks

 private:
  // When a key may go: by its tag, then since when it has had it.
  struct Turn {
    std::uint64_t start = 0;
    std::uint64_t since = 0;
    auto operator<=>(const Turn&) const = default;
  };
  struct Flow {
    std::map<std::uint64_t, Item*> tasks;  // by arrival
    Turn turn;
    bool resting = false;  // listed in Level::resting
  };
  using Flows = std::map<std::string, Flow, std::less<>>;
  struct ByTurn {
    bool operator()(const Item* a, const Item* b) const;
  };
  struct Level {
    Flows flows;
    std::map<Turn, Flows::iterator> order;  // of those with tasks
    std::set<Item*, ByTurn> put_back;       // go by the turn that they had
    std::vector<Flows::iterator> resting;   // those without tasks, and some that have got tasks since
    std::uint64_t now = 0;                  // the virtual time; no tag is more than one ahead of it
  };
  using Levels = std::map<std::int32_t, Level, std::greater<>>;

  Level& level_of(std::int32_t priority);
  static bool put_back_first(const Level& level);
  static void advance(Level& level, std::uint64_t now);
  static void rest(Level& level, Flows::iterator flow);
  static void detach(Level& level, Item& item);
  void drop_if_empty(Levels::iterator level);

  std::uint64_t& serial_;
  Levels levels_;                // none that is empty
  std::uint64_t forgotten_ = 0;  // virtual time that no forgotten level was ahead of
  std::size_t size_ = 0;
};

class FairQueue::Item {
 public:
  std::uint64_t arrival() const { return arrival_; }

 private:
  friend class FairQueue;

  std::uint64_t arrival_ = 0;
  Turn turn_;             // of one that was taken or removed
  Flows::iterator flow_;  // of one that waits, unless it was put back
  std::int32_t priority_ = 0;
  bool put_back_ = false;
};

}  // namespace ganglion::agents

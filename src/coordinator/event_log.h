#pragma once

// The log of topic events as this process knows it: where it ends, and who follows it. Events come in from
// clients (`append`) and with commits of runs (`published`); followers get each one once, in the order of the
// log, however it came in, because one reader reads the log for all of them.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/strong_id.h"
#include "core/topic_event.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion {

using EventFollowerId = StrongId<struct EventFollowerIdTag, std::uint64_t>;

class EventLog {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;
  // The next events of the log, at least one.
  using Follower = std::function<void(const std::vector<TopicEvent>& events)>;

  EventLog(Store& store, Clock& clock) : store_(store), clock_(clock) {}
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Learns where the log ends; once, before anything else.
  void open(Completion<Result<void>> done);

  // Durable when it is answered.
  void append(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done);
  // Commits of runs, or another engine, have written events up to this one.
  void published(std::uint64_t seq);
  // Finds out by itself where the log ends now: whoever has written more may not have been heard.
  void look();
  // Called when this engine has written events, with the last one's position.
  void on_written(std::function<void(std::uint64_t seq)> written) { written_ = std::move(written); }
  void written(std::uint64_t seq);

  std::uint64_t last() const { return last_; }

  // From the next event on that nobody has been told of.
  EventFollowerId follow(Follower follower);
  void unfollow(EventFollowerId follower);
  // Everything up to this one has been told.
  std::uint64_t told() const { return told_; }

 private:
  void read();

  Store& store_;
  Clock& clock_;
  std::uint64_t last_ = 0;
  std::uint64_t told_ = 0;
  bool reading_ = false;
  std::function<void(std::uint64_t)> written_;
  std::map<EventFollowerId, Follower> followers_;
  std::uint64_t last_follower_ = 0;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion

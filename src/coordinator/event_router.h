#pragma once

// What an event of the log sets off: it is delivered to runs that wait for one like it, starts runs by the
// project's triggers, and starts the reactions of agents that subscribe to its topic.
//
// The position up to which everything has been set off durably is a setting in the store; after a restart the
// rest is set off again. Nothing happens twice: runs are started under an idempotency key made from the
// event's position, and a wait takes only events from after it began. A store that is unavailable or an
// engine that is full makes the router wait, never skip.
//
// A run gets the events that it waits for in the order of the log. One that has begun to wait, or that could
// not be told, catches up from where it waits: meanwhile it gets its events from that reading only.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "coordinator/coordinator.h"
#include "core/topic_event.h"

namespace ganglion {

class Definitions;
class EventLog;

// The dead letter of an event that is not set off: {kind: "event", event, topicversion?, error}. The same
// `key` gives the same id.
Record dead_event(const TopicEvent& event, const std::string& key, const Error& error, Timestamp now);

class EventRouter {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;

  // All outlive the router. `on_problem` is told of an event that can't start what it should.
  EventRouter(Store& store, Clock& clock, EventLog& log, Coordinator& coordinator, Definitions& definitions,
              std::function<void(const TopicEvent&, const Error&)> on_problem = {});
  ~EventRouter();
  EventRouter(const EventRouter&) = delete;
  EventRouter& operator=(const EventRouter&) = delete;

  // Goes on from where the log was left; after the coordinator's recovery and before the first request.
  void start(Completion<Result<void>> done);

  // Where several engines share the log, one of them starts what events start; each delivers events to its
  // own runs. From the start an engine has the duty; taking it over goes on from where the log was left.
  void set_duty(bool on_duty);

  // Every event up to this one has been set off.
  std::uint64_t position() const { return position_; }

 private:
  struct Page;

  void read();
  void take_over();
  void set_off(std::vector<TopicEvent> events);
  void go_on(const std::shared_ptr<Page>& page);
  void start_runs(const TopicEvent& event, const std::shared_ptr<Page>& page);
  void deliver(const RunId& run, const TopicEvent& event, std::move_only_function<void()> done);
  bool is_behind(const RunId& run, const std::string& topic) const;
  void start_run(const TopicEvent& event, const std::string& key, StartRequest request,
                 const std::shared_ptr<Page>& page);
  void bury(const TopicEvent& event, const std::string& key, const Error& error,
            const std::shared_ptr<Page>& page);
  void page_done(const Page& page);
  void fall_behind(const RunId& run);
  void begin_to_catch_up(const RunId& run, const std::string& pattern, std::uint64_t since);
  void catch_up(const RunId& run, const std::string& pattern, std::uint64_t since);
  void caught_up(const RunId& run, const std::string& pattern);
  std::uint64_t end_of_log() const;
  void later(std::move_only_function<void()> action);

  Store& store_;
  Clock& clock_;
  EventLog& log_;
  Coordinator& coordinator_;
  Definitions& definitions_;
  std::function<void(const TopicEvent&, const Error&)> on_problem_;
  bool on_duty_ = true;
  std::uint64_t position_ = 0;
  std::uint64_t seen_ = 0;                               // the last event of any page
  std::set<std::pair<RunId, std::string>> catching_up_;  // with the pattern that is read for it
  std::set<RunId> behind_;                               // could not be told; will catch up in a moment
  bool busy_ = false;                                    // a page is being read or set off
  bool started_ = false;
  std::uint64_t follower_ = 0;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion

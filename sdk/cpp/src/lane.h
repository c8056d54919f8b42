#pragma once

// A lane: the agents that share one bound on concurrency, and their exchange with the server.
//
// Two requests are under way at most. The *poll* waits up to 30 s for tasks, as many as there are free
// places. The *exchange* carries all results that have gathered since the last one and brings tasks for the
// places that those results free; it waits for nothing. So an idle lane costs one waiting request, and a busy
// one needs one round trip for many results and many tasks. The server is never asked for more tasks than
// there are free places:
//
//     places = running + results without a verdict + tasks asked for + free
//
// Everything here happens in the worker's loop, but for the agents' functions.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent_threads.h"
#include "backoff.h"
#include "ganglion/worker.h"
#include "http.h"
#include "idle_timeouts.h"
#include "mailbox.h"
#include "outbox.h"

namespace ganglion {

// What the lanes of a worker share.
struct Surroundings {
  std::string worker;
  HttpLoop& http;
  IdleTimeouts& idle;
  std::shared_ptr<Mailbox> mailbox;
  std::function<void(const std::string&)> log;
};

class Lane {
 public:
  using Clock = std::chrono::steady_clock;

  Lane(std::map<std::string, AgentFunction> agents, std::size_t places, Surroundings& surroundings);

  // Starts what can start now: a poll, an exchange, heartbeats.
  void advance(Clock::time_point now);
  // When `advance` has something to do again, at the latest.
  Clock::time_point next() const;
  // Whether the notice was about a task of this lane.
  bool take(const Notice& notice);

  void stop();     // takes no more tasks; what has begun may end
  void abandon();  // hands back what is still in work
  bool drained() const { return running_.empty() && outbox_.size() == 0 && asked_ == 0; }
  std::size_t busy() const { return running_.size() + outbox_.size(); }
  // The server won't talk to this worker (401, 403).
  const std::optional<Problem>& refused() const { return refused_; }

 private:
  struct Running {
    std::shared_ptr<Task> task;
    std::chrono::milliseconds longest_interval;  // between heartbeats, as the deadline wants it
    Clock::time_point last_beat;
    bool progress = false;                          // there is some to send
    bool beating = false;                           // a heartbeat is under way
    bool unwanted = false;                          // nobody waits for the result
    std::optional<boost::json::object> again = {};  // unwanted, but then handed out again
  };

  std::size_t free() const;
  Clock::time_point beat_at(const Running& running) const;
  void poll(Clock::time_point now);
  void exchange(Clock::time_point now);
  void polled(std::size_t asked, const HttpOutcome& outcome);
  void exchanged(std::size_t asked, const std::vector<std::string>& tokens, const HttpOutcome& outcome);
  void settle(const std::vector<std::string>& tokens, const boost::json::value& answer);
  bool blame(const Problem& problem, const std::vector<std::string>& tokens);
  void stay_away(Backoff& backoff, const std::string& reason, const Problem* problem);
  void take_tasks(boost::json::value* tasks);
  void begin(boost::json::object task);
  void heartbeat(Running& running, Clock::time_point now);
  void heard(const std::string& token, const HttpOutcome& outcome);
  void cancel(Running& running);

  std::map<std::string, AgentFunction> agents_;
  boost::json::array names_;
  std::size_t places_;
  Surroundings& surroundings_;
  std::map<std::string, Running> running_;
  Outbox outbox_;
  std::size_t asked_ = 0;
  std::optional<HttpLoop::Ticket> polling_;
  bool exchanging_ = false;
  bool stopping_ = false;
  Backoff poll_backoff_;
  Backoff exchange_backoff_;
  std::optional<Problem> refused_;
  AgentThreads threads_;  // last: its end looks at nothing above, but jobs may still run
};

}  // namespace ganglion

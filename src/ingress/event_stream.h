#pragma once

// One client that follows the event log, or the topics of a pattern. Like a follower of a journal
// (journal_stream.h) it reads from the store until it has caught up, then sends what comes as it comes, and
// goes back to reading when the client is slower than that: it holds no events of its own, misses none, and
// sends each once, in order. It ends with the client, or when the store can't be read: the client then
// resumes with Last-Event-ID.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/event_log.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"

namespace ganglion::ingress {

class EventLogStream : public std::enable_shared_from_this<EventLogStream> {
 public:
  // `after` is the seq of the last event that the client doesn't want.
  static void begin(const Dependencies& dependencies, std::string pattern, std::uint64_t after,
                    http::Responder responder);

  EventLogStream(const Dependencies& dependencies, std::string pattern, std::uint64_t after)
      : dependencies_(dependencies), pattern_(std::move(pattern)), passed_(after) {}

 private:
  void start(http::Responder responder);
  void read();
  void page_read(std::uint64_t end, Result<std::vector<TopicEvent>> page);
  void told(const std::vector<TopicEvent>& events);
  // False if the client is too slow for it.
  bool send(const TopicEvent& event);
  void leave();

  Dependencies dependencies_;
  std::string pattern_;
  std::uint64_t passed_;  // everything up to this one was sent, or is of another topic
  http::EventStream stream_;
  EventFollowerId follower_;
  bool reading_ = false;  // a read is under way, or waits for the client
  bool left_ = false;
};

}  // namespace ganglion::ingress

#pragma once

// One client that follows a run's journal. It reads from the store until it has caught up, then sends what
// the coordinator commits as it is committed; if the client is slower than that, it goes back to reading. So
// it holds no events of its own, misses none, and sends each once, in order. It ends when everything of an
// ended run has been sent, when the client has gone, or when the store can't be read: the client then resumes
// with Last-Event-ID.

#include <cstdint>
#include <memory>
#include <span>

#include "coordinator/coordinator.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"

namespace ganglion::ingress {

class JournalStream : public std::enable_shared_from_this<JournalStream> {
 public:
  // The run exists. `after` is the seq of the last event that the client has.
  static void begin(const Dependencies& dependencies, RunId run, std::uint64_t after,
                    http::Responder responder);

  JournalStream(const Dependencies& dependencies, RunId run, std::uint64_t after)
      : dependencies_(dependencies), run_(std::move(run)), sent_(after) {}

 private:
  void start(http::Responder responder);
  void read();
  void page_read(Result<std::vector<JournalEntry>> page);
  void caught_up();
  void committed(std::span<const JournalEntry> entries, const Run& run);
  // False if the client is too slow for all of them: the rest is for `read`, once there is room.
  bool send(std::span<const JournalEntry> entries);
  void leave();

  Dependencies dependencies_;
  RunId run_;
  std::uint64_t sent_;
  http::EventStream stream_;
  FollowerId follower_;
  bool reading_ = false;  // a read is under way, or waits for the client
  bool live_ = false;     // everything that is durable has been sent
  bool left_ = false;
};

}  // namespace ganglion::ingress

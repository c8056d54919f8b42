#pragma once

// The event log as a list; the seq of an event is its place in it, from 1.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/blobs.h"
#include "ports/store.h"

namespace ganglion::memory {

class EventLog {
 public:
  // `blobs` outlives this.
  explicit EventLog(Blobs& blobs) : blobs_(blobs) {}

  Appended append(TopicEvent event);
  std::vector<TopicEvent> read(const EventQuery& query) const;
  std::uint64_t last() const { return events_.size(); }

 private:
  Blobs& blobs_;
  std::vector<TopicEvent> events_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> seqs_;  // by source and id
};

}  // namespace ganglion::memory

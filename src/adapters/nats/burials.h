#pragma once

// Messages that consumers have buried, on their way to their queue's dead letters: copied there, and only
// then taken out of the queue. Where that doesn't come to its end, the message comes again, and may be among
// the dead letters twice.

#include <cstdint>
#include <map>
#include <string>

#include "adapters/nats/link.h"
#include "adapters/nats/queues.h"

namespace ganglion::nats {

class Burials {
 public:
  // Both must outlive it.
  Burials(Link& link, Queues& queues) : link_(link), queues_(queues) {}

  // `subject`: on which the delivery is acknowledged.
  void bury(std::string queue, std::string subject, std::string reason);

  void tick();

 private:
  Link& link_;
  Queues& queues_;
  std::map<std::uint64_t, std::string> subjects_;  // of those on their way
  std::uint64_t last_number_ = 0;
};

}  // namespace ganglion::nats

#pragma once

// Messages on their way to their queue's dead letters: fetched from the queue, where they are still, put
// among the dead letters, and only then taken out of the queue. Where that doesn't come to its end, the
// message comes again. It may then be among the dead letters twice.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "adapters/nats/names.h"
#include "adapters/nats/requests.h"

namespace ganglion::nats {

class Burials {
 public:
  // All must outlive it.
  Burials(Link& link, Requests& requests, const Names& names, std::chrono::milliseconds patience)
      : link_(link), requests_(requests), names_(names), patience_(patience) {}

  // `subject`: on which the delivery is acknowledged.
  void bury(std::string queue, std::string subject, std::string reason);

  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Burial {
    std::string queue;
    std::string subject;
    std::string reason;
    Steady::time_point until;
  };

  void fetched(std::uint64_t number, const Result<Answer>& answer);
  void kept(std::uint64_t number, const Result<Answer>& answer);

  Link& link_;
  Requests& requests_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
  std::map<std::uint64_t, Burial> burials_;
  std::uint64_t last_number_ = 0;
};

}  // namespace ganglion::nats

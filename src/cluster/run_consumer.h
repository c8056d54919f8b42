#pragma once

// What comes in through `coordinator:{domain}`: results of whoever works straight on the queues, ends of
// sub-runs of other domains, runs that wait for somebody to take them up. A message is acknowledged when what
// it says is durable; what nobody can read goes to the dead letters.

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "cluster/messages.h"
#include "ports/bus.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion {
class Store;
}

namespace ganglion::cluster {

struct RunConsumerOptions {
  std::uint32_t prefetch = 256;  // messages of one domain at once
  Duration try_again{200};       // after a broker or a store that was unavailable
  Duration look_again{5'000};    // for a queue that somebody may have removed
};

class RunConsumer {
 public:
  struct Surroundings {
    Bus& bus;
    Clock& clock;
    Store& store;
    // Takes a report to the home of a run of this domain.
    std::function<void(TaskReport report, const std::string& domain, TaskReports::Completion done)> report;
    // Takes a run to its home; answered when that has it.
    std::function<void(const RunNotice& notice, std::move_only_function<void(bool)> heard)> take_up;
    // When the attempt began, as far as this process knows.
    std::function<Timestamp(const TaskReport& report)> began;
    std::function<void(const Error& problem)> problem;
  };

  explicit RunConsumer(Surroundings around, RunConsumerOptions options = {});

  // From now on, with those of before.
  void serve(const std::string& domain);

 private:
  void open(const std::string& domain);
  void keep(const std::string& domain);
  void delivered(const std::string& domain, Delivery delivery);
  void result(const std::string& domain, Delivery delivery);
  void pass_on(const std::string& domain, Delivery delivery, TaskReport report);
  void decided(const Delivery& delivery, const AttemptToken& token, Verdict verdict);
  void bury(const Delivery& delivery, const std::string& reason);
  void again(const std::string& domain, Delivery delivery);

  Surroundings around_;
  const RunConsumerOptions options_;
  std::set<std::string> domains_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

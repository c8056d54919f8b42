#pragma once

// What one member tells another about a run that it has written: the run's home is to look. Straight to the
// home; where that doesn't answer, or nobody serves the run's domain, through the queue of the domain. Told
// until somebody has heard. Only names travel: the home reads the journal.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/mail.h"
#include "cluster/messages.h"
#include "ports/bus.h"
#include "ports/clock.h"

namespace ganglion::cluster {

class RunNotices {
 public:
  struct Surroundings {
    Bus& bus;
    Clock& clock;
    Mail& mail;
    std::string self;
    std::function<std::string(const std::string& workflow)> domain_of;
    // Empty where nobody serves the domain.
    std::function<std::string(const RunId& run, const std::string& domain)> home_of;
    // For the home of a run: somebody else has written it.
    std::function<void(const RunId& run)> look;
    // For the home of a run: `seen` with whether it could be read.
    std::function<void(const RunId& run, std::move_only_function<void(bool)> seen)> inspect;
    std::function<void(const Error&)> problem;
  };

  // Before the mail starts.
  explicit RunNotices(Surroundings surroundings);

  // This member has written a run that may have another home.
  void written(const RunId& run, const std::string& workflow);
  // One from the queue of its domain; `heard` with whether its home has.
  void take_up(const RunNotice& notice, std::move_only_function<void(bool)> heard);

 private:
  std::string home_of(const RunNotice& notice) const;
  void send();
  void send(const std::string& home, std::vector<RunNotice> notices);
  void queue(const RunNotice& notice);
  void sent(const RunNotice& notice);
  void heard_of(const RunNotice& notice);
  void nobody_serves(const std::string& domain);

  Surroundings around_;
  std::map<RunNotice, bool> open_;             // and whether it has been written again meanwhile
  std::set<RunNotice> new_;                    // of them, to be sent at the end of this turn
  std::map<std::string, Timestamp> unserved_;  // domains, and when that was last said
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

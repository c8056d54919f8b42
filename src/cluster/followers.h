#pragma once

// Who follows runs from another process than their home's: a client that waits for the end of a run at one
// server, while another one looks after it. Whoever follows tells the home every now and then, the home tells
// each such member in one message a turn which runs it has written. What gets lost is noticed by asking the
// store now and then.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/mail.h"
#include "cluster/messages.h"
#include "coordinator/coordinator.h"
#include "ports/clock.h"

namespace ganglion::cluster {

struct FollowersOptions {
  Duration gather{50};     // what a run does on its way is told that often at most; its end at once
  Duration renew{2'000};   // between two words of one who follows
  Duration forget{7'000};  // after the last one
};

class Followers {
 public:
  // `elsewhere`: the member that is the run's home; empty where that is this one or nobody.
  Followers(Mail& mail, Clock& clock, std::string self,
            std::function<std::string(const RunId& run, const std::string& workflow)> elsewhere,
            FollowersOptions options = {});
  ~Followers();

  void connect(Coordinator& coordinator) { coordinator_ = &coordinator; }

  // Here, of a run that has another home.
  void followed(const RunId& run, const std::string& workflow);
  void unfollowed(const RunId& run) { followed_.erase(run); }

  // Runs that other members follow here.
  std::size_t watched() const { return watched_.size(); }

 private:
  struct Watched {
    FollowerId follower;
    std::map<std::string, Timestamp> members;  // and when they are forgotten
    bool ended = false;                        // it is let go of once they have been told
  };

  void tell_home(const RunId& run, const std::string& workflow);
  void renew();
  void watch(const std::string& member, const RunId& run);
  enum class When { now, soon };
  void written(const RunId& run, When when);
  void flush();
  void let_go(const RunId& run);
  void hear(const std::string& runs);
  void forget();

  Mail& mail_;
  Clock& clock_;
  const std::string self_;
  std::function<std::string(const RunId&, const std::string&)> elsewhere_;
  const FollowersOptions options_;
  Coordinator* coordinator_ = nullptr;
  std::map<RunId, std::string> followed_;  // here; with their workflows
  std::map<RunId, Watched> watched_;       // by others
  std::map<std::string, std::set<RunId>> leaving_;
  bool flushing_ = false;  // at the end of this turn
  bool gathering_ = false;
  TimerId timer_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

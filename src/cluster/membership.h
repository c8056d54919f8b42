#pragma once

// Who is there: every member says so a few times a second, and whoever has not been heard of for a while is
// gone. Only what follows from it (who looks after which run, where a message goes) depends on this view,
// never what is right: two members may have different views for a moment.
//
// A member hears its own words, too. One that doesn't is deaf (its connection is lost, or the broker is down)
// and knows nothing of the others: it goes on with the view that it has, and gives them the time that it has
// missed once it hears again. The same goes for one whose loop stood still.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/member.h"
#include "ports/bus.h"
#include "ports/clock.h"

namespace ganglion::cluster {

struct MembershipOptions {
  Duration beat{200};       // between two signs of life
  Duration silence{1'000};  // after which a member is gone
  Duration first_look{80};  // for the answers of those who were there before
};

class Membership {
 public:
  // Nothing of it where a member has merely changed what it takes.
  struct Change {
    std::vector<Member> joined;
    std::vector<Member> left;
    // Some may have taken this member for gone, and have ended what it looks after: it stood still, it was
    // cut off, or somebody who had been gone is back.
    bool apart = false;
  };

  // `bus` and `clock` outlive it.
  Membership(Bus& bus, Clock& clock, Member self, MembershipOptions options = {});
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  // Listens and says hello; answered when those who were there before have had time to answer. Errors of
  // `listen`.
  void start(std::move_only_function<void(Result<void>)> done);
  // Says goodbye: the others needn't wait.
  void leave();

  const Member& self() const { return self_; }
  // What this member takes from now on.
  void takes(std::vector<std::string> agents);
  // Who is there, this member among them, by id.
  const std::vector<Member>& live() const { return live_; }
  bool is_live(const std::string& id) const;
  // From the first look on.
  void on_change(std::function<void(const Change&)> changed) { changed_ = std::move(changed); }

 private:
  struct Known {
    Member member;
    Timestamp heard;
  };

  void say(std::string_view what);
  void hear(const BusMessage& message);
  void heard_oneself();
  void came_back();
  void tick();
  void look();

  Bus& bus_;
  Clock& clock_;
  Member self_;
  const MembershipOptions options_;
  std::map<std::string, Known> known_;  // the others
  std::set<std::string> silent_;        // those that have left without a word
  std::vector<Member> live_;
  std::function<void(const Change&)> changed_;
  TimerId timer_;
  Timestamp heard_self_;  // last
  bool started_ = false;
  bool left_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster

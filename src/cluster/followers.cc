#include "cluster/followers.h"

#include <utility>
#include <vector>

namespace ganglion::cluster {
namespace {

constexpr const char* kWrittenType = "ganglion.written.v1";  // runs that a member follows

}  // namespace

Followers::Followers(Mail& mail, Clock& clock, std::string self,
                     std::function<std::string(const RunId&, const std::string&)> elsewhere,
                     FollowersOptions options)
    : mail_(mail),
      clock_(clock),
      self_(std::move(self)),
      elsewhere_(std::move(elsewhere)),
      options_(options) {
  mail_.on(kFollowType, [this](const std::string& from, const std::string& body, const Mail::Reply&) {
    const auto notice = read_run(body);
    if (notice) watch(from, notice->run);
  });
  mail_.on(kWrittenType,
           [this](const std::string&, const std::string& body, const Mail::Reply&) { hear(body); });
  timer_ = clock_.at(clock_.now() + options_.renew, [this] { renew(); });
}

Followers::~Followers() {
  clock_.cancel(timer_);
}

// --- here
// ----------------------------------------------------------------------------------------------------------

void Followers::followed(const RunId& run, const std::string& workflow) {
  if (followed_.insert_or_assign(run, workflow).second) tell_home(run, workflow);
}

void Followers::tell_home(const RunId& run, const std::string& workflow) {
  const std::string home = elsewhere_(run, workflow);
  if (!home.empty()) mail_.tell(home, kFollowType, run_message({run, workflow}));
}

void Followers::renew() {
  const auto followed = followed_;  // asking the store may end the following
  for (const auto& [run, workflow] : followed) {
    tell_home(run, workflow);
    coordinator_->written_elsewhere(run);
  }
  forget();
  timer_ = clock_.at(clock_.now() + options_.renew, [this] { renew(); });
}

void Followers::hear(const std::string& runs) {
  for (const std::string& text : split(runs)) {
    const auto run = RunId::parse(text);
    if (run && followed_.contains(*run)) coordinator_->written_elsewhere(*run);
  }
}

// --- at the home
// ---------------------------------------------------------------------------------------------------

void Followers::watch(const std::string& member, const RunId& run) {
  const auto [at, is_new] = watched_.try_emplace(run);
  const bool knew = at->second.members.contains(member);
  at->second.members.insert_or_assign(member, clock_.now() + options_.forget);
  if (is_new) {
    at->second.follower =
        coordinator_->follow(run, [this, run](std::span<const JournalEntry>, const Run& now) {
          const auto watched = watched_.find(run);
          if (watched != watched_.end()) watched->second.ended = now.ended();
          written(run, now.ended() ? When::now : When::soon);
        });
  }
  // What was written before this word came.
  if (!knew) written(run, When::now);
}

void Followers::written(const RunId& run, When when) {
  const auto found = watched_.find(run);
  if (found == watched_.end()) return;
  for (const auto& [member, until] : found->second.members) leaving_[member].insert(run);
  auto send = [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) flush();
  };
  if (when == When::now) {
    if (!std::exchange(flushing_, true)) clock_.post(std::move(send));
  } else if (!std::exchange(gathering_, true)) {
    clock_.at(clock_.now() + options_.gather, std::move(send));
  }
}

void Followers::flush() {
  flushing_ = false;
  gathering_ = false;
  const auto leaving = std::exchange(leaving_, {});
  for (const auto& [member, runs] : leaving) {
    std::vector<std::string> texts;
    for (const RunId& run : runs) texts.push_back(run.text());
    mail_.tell(member, kWrittenType, join(texts));
  }
  // Whoever doesn't hear of it still follows, and says so again.
  for (const auto& [member, runs] : leaving) {
    for (const RunId& run : runs) {
      const auto watched = watched_.find(run);
      if (watched != watched_.end() && watched->second.ended) let_go(run);
    }
  }
}

void Followers::forget() {
  const Timestamp now = clock_.now();
  std::vector<RunId> over;
  for (auto& [run, watched] : watched_) {
    std::erase_if(watched.members, [&](const auto& member) { return member.second < now; });
    if (watched.members.empty()) over.push_back(run);
  }
  for (const RunId& run : over) let_go(run);
}

void Followers::let_go(const RunId& run) {
  const FollowerId follower = watched_.at(run).follower;
  watched_.erase(run);
  coordinator_->unfollow(run, follower);
}

}  // namespace ganglion::cluster

#include "cluster/watch_list.h"

namespace ganglion::cluster {

WatchList::WatchList(Clock& clock, std::function<void(const std::vector<AttemptToken>&)> look)
    : clock_(clock), look_(std::move(look)) {}

WatchList::~WatchList() {
  if (timer_at_) clock_.cancel(timer_);
}

void WatchList::look_at(const AttemptToken& token, Timestamp when) {
  remove(token);
  times_.emplace(token, when);
  due_.emplace(when, token);
  plan();
}

void WatchList::remove(const AttemptToken& token) {
  const auto at = times_.find(token);
  if (at == times_.end()) return;
  due_.erase({at->second, token});
  times_.erase(at);
}

// A timer that is too early finds nothing due and is set again: cheaper than one that is moved for each
// removal.
void WatchList::plan() {
  if (due_.empty()) return;
  const Timestamp next = due_.begin()->first;
  if (timer_at_ && *timer_at_ <= next) return;
  if (timer_at_) clock_.cancel(timer_);
  timer_at_ = next;
  timer_ = clock_.at(next, [this] {
    timer_at_.reset();
    come_due();
  });
}

void WatchList::come_due() {
  const Timestamp now = clock_.now();
  std::vector<AttemptToken> tokens;
  while (!due_.empty() && due_.begin()->first <= now) {
    tokens.push_back(due_.begin()->second);
    times_.erase(tokens.back());
    due_.erase(due_.begin());
  }
  if (!tokens.empty()) look_(tokens);
  plan();
}

}  // namespace ganglion::cluster

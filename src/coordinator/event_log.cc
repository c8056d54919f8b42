#include "coordinator/event_log.h"

#include <algorithm>
#include <utility>

namespace ganglion {
namespace {

constexpr std::uint32_t kPage = 200;  // events a read
constexpr Duration kReadAgain{100};   // after a store that was unavailable

}  // namespace

void EventLog::open(Completion<Result<void>> done) {
  store_.last_event([this, done = std::move(done)](Result<std::uint64_t> last) mutable {
    if (!last) return done(std::unexpected(last.error()));
    last_ = *last;
    told_ = *last;
    done({});
  });
}

void EventLog::append(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) {
  auto appended = [this, done = std::move(done)](Result<std::vector<Appended>> result) mutable {
    if (result) {
      for (const Appended& event : *result) written(event.seq);
    }
    done(std::move(result));
  };
  store_.append_events(std::move(events), std::move(appended));
}

void EventLog::written(std::uint64_t seq) {
  published(seq);
  if (written_) written_(seq);
}

void EventLog::published(std::uint64_t seq) {
  last_ = std::max(last_, seq);
  if (followers_.empty() && !reading_) {
    told_ = last_;
  } else {
    read();
  }
}

void EventLog::look() {
  store_.last_event([this, alive = std::weak_ptr(alive_)](const Result<std::uint64_t>& last) {
    if (!alive.expired() && last) published(*last);
  });
}

EventFollowerId EventLog::follow(Follower follower) {
  const EventFollowerId id(++last_follower_);
  followers_.emplace(id, std::move(follower));
  return id;
}

void EventLog::unfollow(EventFollowerId follower) {
  followers_.erase(follower);
}

void EventLog::read() {
  if (reading_ || told_ >= last_) return;
  reading_ = true;
  auto have_read = [this, alive = std::weak_ptr(alive_)](Result<std::vector<TopicEvent>> events) {
    if (alive.expired()) return;
    reading_ = false;
    if (!events) {
      clock_.at(clock_.now() + kReadAgain, [this, alive] {
        if (!alive.expired()) read();
      });
      return;
    }
    if (events->empty()) {
      told_ = last_;
      return;
    }
    told_ = events->back().seq;
    last_ = std::max(last_, told_);
    const auto followers = followers_;  // one may leave while another is called
    for (const auto& [id, follower] : followers) {
      if (followers_.contains(id)) follower(*events);
    }
    read();
  };
  store_.read_events({.pattern = "**", .before = std::nullopt, .after = told_, .limit = kPage},
                     std::move(have_read));
}

}  // namespace ganglion

#include "ingress/event_stream.h"

#include <algorithm>
#include <utility>

#include "core/topic.h"
#include "ingress/event_json.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::uint32_t kPage = 20;

}  // namespace

void EventLogStream::begin(const Dependencies& dependencies, std::string pattern, std::uint64_t after,
                           http::Responder responder) {
  // Nobody would tell a follower to leave whose client has gone before it came.
  if (!responder.open()) return;
  std::make_shared<EventLogStream>(dependencies, std::move(pattern), after)->start(std::move(responder));
}

void EventLogStream::start(http::Responder responder) {
  const auto self = shared_from_this();
  follower_ =
      dependencies_.events.follow([self](const std::vector<TopicEvent>& events) { self->told(events); });
  responder.on_interrupt([self](http::Interrupt) { self->leave(); });
  stream_ = responder.start_stream();
  read();
}

void EventLogStream::read() {
  if (left_) return;
  reading_ = true;
  if (!stream_.ready()) return stream_.on_ready([self = shared_from_this()] { self->read(); });
  const std::uint64_t end = dependencies_.events.last();
  dependencies_.store.read_events(
      {.pattern = pattern_, .before = std::nullopt, .after = passed_, .limit = kPage},
      [self = shared_from_this(), end](Result<std::vector<TopicEvent>> page) {
        self->page_read(end, std::move(page));
      });
}

// `end` is where the log ended when the page was asked for.
void EventLogStream::page_read(std::uint64_t end, Result<std::vector<TopicEvent>> page) {
  if (left_) return;
  if (!page) return leave();
  for (const TopicEvent& event : *page) {
    if (!send(event)) return read();
  }
  if (!page->empty()) return read();
  passed_ = std::max(passed_, end);
  // What was told to followers in the meantime was not listened to.
  if (dependencies_.events.told() > passed_) return read();
  reading_ = false;
}

void EventLogStream::told(const std::vector<TopicEvent>& events) {
  if (left_ || reading_) return;  // what is being read includes these, or is read again
  for (const TopicEvent& event : events) {
    if (event.seq <= passed_) continue;
    if (topic_matches(pattern_, event.topic) && !send(event)) return read();
    passed_ = event.seq;
  }
}

bool EventLogStream::send(const TopicEvent& event) {
  if (!stream_.ready()) return false;
  stream_.send(std::to_string(event.seq), "", event_json(event));
  passed_ = event.seq;
  return true;
}

void EventLogStream::leave() {
  if (std::exchange(left_, true)) return;
  dependencies_.events.unfollow(follower_);
  stream_.end();
}

}  // namespace ganglion::ingress

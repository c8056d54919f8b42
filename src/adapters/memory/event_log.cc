#include "adapters/memory/event_log.h"

#include <algorithm>

#include "core/topic.h"

namespace ganglion::memory {

Appended EventLog::append(TopicEvent event) {
  const auto [at, is_new] = seqs_.try_emplace({event.source, event.id}, events_.size() + 1);
  if (!is_new) return {at->second, true};
  event.seq = at->second;
  blobs_.refer_from(event.data.bytes());
  events_.push_back(std::move(event));
  return {at->second, false};
}

std::vector<TopicEvent> EventLog::read(const EventQuery& query) const {
  // Those from `first` to before `end`, by index: one less than their seqs.
  const std::uint64_t before = query.before.value_or(events_.size() + 1);
  const std::size_t end = before == 0 ? 0 : std::min<std::uint64_t>(before - 1, events_.size());
  const std::size_t first = std::min<std::uint64_t>(query.after.value_or(0), end);
  std::vector<TopicEvent> found;
  for (std::size_t i = 0; i < end - first && found.size() < query.limit; ++i) {
    const TopicEvent& event = events_[query.after ? first + i : end - 1 - i];
    if (topic_matches(query.pattern, event.topic)) found.push_back(event);
  }
  return found;
}

}  // namespace ganglion::memory

#include "coordinator/event_waits.h"

#include <utility>

#include "core/topic.h"

namespace ganglion {
namespace {

std::map<std::string, std::uint64_t> waits_of(const Run& run) {
  std::map<std::string, std::uint64_t> waits;
  for (const auto& [step, item] : run.waiting_for_events()) {
    const auto& awaiting = std::get<TaskAwaiting>(run.find_task(step, item)->state);
    const auto& wait = std::get<ForEvent>(awaiting.wait());
    // A name that is no pattern can only be a signal's.
    if (!is_topic_pattern(wait.pattern)) continue;
    const auto [at, added] = waits.emplace(wait.pattern, wait.since);
    if (!added) at->second = std::min(at->second, wait.since);
  }
  return waits;
}

}  // namespace

void EventWaits::update(const Run& run) {
  if (run.ended() || run.waiting_for_events().empty()) return clear(run.id());
  auto waits = waits_of(run);
  auto& known = by_run_[run.id()];
  for (const auto& [pattern, since] : known) {
    if (waits.contains(pattern)) continue;
    auto runs = by_pattern_.find(pattern);
    runs->second.erase(run.id());
    if (runs->second.empty()) by_pattern_.erase(runs);
  }
  const auto before = std::exchange(known, waits);
  for (const auto& [pattern, since] : waits) {
    by_pattern_[pattern].insert(run.id());
    const auto same = before.find(pattern);
    if (begun_ && (same == before.end() || same->second != since)) begun_(run.id(), pattern, since);
  }
}

void EventWaits::clear(const RunId& run) {
  const auto found = by_run_.find(run);
  if (found == by_run_.end()) return;
  for (const auto& [pattern, since] : found->second) {
    auto runs = by_pattern_.find(pattern);
    runs->second.erase(run);
    if (runs->second.empty()) by_pattern_.erase(runs);
  }
  by_run_.erase(found);
}

std::map<std::string, std::uint64_t> EventWaits::of(const RunId& run) const {
  const auto found = by_run_.find(run);
  return found == by_run_.end() ? std::map<std::string, std::uint64_t>() : found->second;
}

std::set<RunId> EventWaits::waiting_for(std::string_view topic) const {
  std::set<RunId> waiting;
  for (const auto& [pattern, runs] : by_pattern_) {
    if (topic_matches(pattern, topic)) waiting.insert(runs.begin(), runs.end());
  }
  return waiting;
}

}  // namespace ganglion

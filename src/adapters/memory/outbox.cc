#include "adapters/memory/outbox.h"

namespace ganglion::memory {

void Outbox::note(const RunId& run, Timestamp now) {
  if (on_) put(run, now);
}

void Outbox::put(const RunId& run, Timestamp now) {
  if (due_.emplace(run, now).second) in_order_.emplace(now, run);
}

std::vector<RunId> Outbox::take(std::uint32_t limit, Timestamp now, Duration lease) {
  std::vector<RunId> taken;
  for (const auto& [due, run] : in_order_) {
    if (due > now || taken.size() >= limit) break;
    taken.push_back(run);
  }
  for (const RunId& run : taken) put_last(run, now + lease);
  return taken;
}

void Outbox::put_last(const RunId& run, Timestamp now) {
  if (!due_.contains(run)) return;
  remove(run);
  put(run, now);
}

void Outbox::remove(const RunId& run) {
  const auto found = due_.find(run);
  if (found == due_.end()) return;
  in_order_.erase({found->second, run});
  due_.erase(found);
}

}  // namespace ganglion::memory

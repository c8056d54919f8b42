#include "adapters/nats/holdings.h"

#include <utility>

#include "adapters/nats/acknowledgement.h"
#include "adapters/nats/queues.h"

namespace ganglion::nats {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRenewal = kLease / 5;

}  // namespace

DeliveryTag Holdings::add(ConsumerId consumer, std::string subject, Duration claim_after) {
  const auto now = Steady::now();
  last_tag_ = last_tag_.next();
  held_.emplace(last_tag_, Held{.consumer = consumer,
                                .subject = std::move(subject),
                                .claim_after = claim_after,
                                .since = now,
                                .renewed = now});
  return last_tag_;
}

std::optional<Holdings::Held> Holdings::take(DeliveryTag delivery) {
  auto held = held_.extract(delivery);
  if (held.empty()) return std::nullopt;
  return std::move(held.mapped());
}

std::vector<Holdings::Held> Holdings::take_all(ConsumerId consumer) {
  std::vector<Held> taken;
  std::erase_if(held_, [&](auto& item) {
    if (item.second.consumer != consumer) return false;
    taken.push_back(std::move(item.second));
    return true;
  });
  return taken;
}

void Holdings::tick() {
  if (!link_.ready()) return;
  const auto now = Steady::now();
  for (auto& [tag, held] : held_) {
    if (held.lapsed || now - held.renewed < kRenewal) continue;
    held.lapsed = now - held.since >= held.claim_after;
    if (held.lapsed) continue;
    held.renewed = now;
    link_.connection().publish(held.subject, {}, {}, kInProgress);
  }
}

}  // namespace ganglion::nats

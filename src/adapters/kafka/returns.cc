#include "adapters/kafka/returns.h"

#include <algorithm>
#include <utility>

namespace ganglion::kafka {
namespace {

constexpr std::chrono::milliseconds kTryAgain{200};
// So many dead letters beyond the bound are kept for a while: throwing some away is a question each time.
constexpr Offset kShortenEvery = 256;

}  // namespace

void Returns::give_back(Place place, BusMessage message, std::uint32_t deliveries) {
  Headers headers = headers_of(message);
  if (deliveries > 0) headers.emplace_back(kDeliveries, std::to_string(deliveries));
  add({.place = std::move(place), .message = std::move(message), .headers = std::move(headers)});
}

void Returns::bury(Place place, BusMessage message, std::string reason) {
  Headers headers = headers_of(message);
  headers.emplace_back(kReason, reason.substr(0, kMaxBusProperty));
  add({.place = std::move(place),
       .message = std::move(message),
       .headers = std::move(headers),
       .is_dead = true});
}

void Returns::tick() {
  const auto now = Steady::now();
  for (const auto& item : items_) {
    if (!item->is_under_way && now >= item->again) go(item);
  }
}

void Returns::add(Item item) {
  items_.push_back(std::make_shared<Item>(std::move(item)));
  go(items_.back());
}

void Returns::go(const std::shared_ptr<Item>& item) {
  item->is_under_way = true;
  session_.sync([this, alive = std::weak_ptr(alive_), item] {
    if (!alive.expired() && is_here(item)) send(item);
  });
}

void Returns::send(const std::shared_ptr<Item>& item) {
  const Place& place = item->place;
  const LedgerQueue* queue = session_.ledger().queue(place.queue);
  if (queue == nullptr || queue->made != place.made) {  // it is gone, and what was in it
    std::erase(items_, item);
    return;
  }
  const std::string topic = item->is_dead ? names_.dead(place.queue) : names_.queue(place.queue);
  producer_.send(topic, 0, item->headers, item->message.body,
                 [this, item](const Result<Offset>& result) { sent(item, result); });
}

void Returns::sent(const std::shared_ptr<Item>& item, const Result<Offset>& result) {
  if (!is_here(item)) return;
  if (!result) {
    item->is_under_way = false;
    item->again = Steady::now() + kTryAgain;
    return;
  }
  const Place& place = item->place;
  session_.done(place.queue, place.made, place.offset);
  if (item->is_dead && *result > kMaxDeadLetters && *result % kShortenEvery == 0)
    errands_.shorten(names_.dead(place.queue), {*result + 1 - kMaxDeadLetters});
  std::erase(items_, item);
}

bool Returns::is_here(const std::shared_ptr<Item>& item) const {
  return std::ranges::find(items_, item) != items_.end();
}

}  // namespace ganglion::kafka

#include "adapters/kafka/consumers.h"

#include <algorithm>
#include <utility>

#include "base/asio/asio.h"
#include "base/overloaded.h"
#include "ports/bus_check.h"

namespace ganglion::kafka {
namespace {

// Reading on past messages of others is cheaper than asking for another place, up to so many.
constexpr Offset kReadPast = 1'000;
// What is read of places that nobody has yet.
constexpr std::size_t kMaxAhead = 4'096;
constexpr std::size_t kMaxAheadBytes = 8 << 20;

}  // namespace

Consumers::Consumers(asio::io_context& context, Session& session, Reader& reader, Returns& returns,
                     const Names& names)
    : context_(context), session_(session), reader_(reader), returns_(returns), names_(names) {}

ConsumerId Consumers::add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer) {
  last_consumer_ = last_consumer_.next();
  subscriptions_.emplace(last_consumer_,
                         Subscription{.queue = std::move(queue),
                                      .prefetch = prefetch,
                                      .consumer = std::make_shared<Bus::Consumer>(std::move(consumer))});
  want_soon();
  return last_consumer_;
}

void Consumers::resize(ConsumerId consumer, std::uint32_t prefetch) {
  const auto found = subscriptions_.find(consumer);
  if (found == subscriptions_.end() || found->second.prefetch == prefetch) return;
  found->second.prefetch = prefetch;
  want_soon();
}

void Consumers::cancel(ConsumerId id) {
  const auto found = subscriptions_.extract(id);
  if (found.empty()) return;
  for (auto at = held_.begin(); at != held_.end();) {
    const auto here = at++;
    if (here->second.consumer != id) continue;
    give_back(std::move(here->second));
    held_.erase(here);
  }
  const auto share = shares_.find(found.mapped().queue);
  if (share != shares_.end()) read_on(share->first, share->second);
}

void Consumers::acknowledge(DeliveryTag delivery) {
  const auto held = settle(delivery);
  if (!held) return;
  closed(held->place);  // first, so that what is wanted now goes with it
  session_.done(held->place.queue, held->place.made, held->place.offset);
}

void Consumers::requeue(DeliveryTag delivery) {
  if (auto held = settle(delivery)) give_back(std::move(*held));
}

void Consumers::bury(DeliveryTag delivery, std::string reason) {
  auto held = settle(delivery);
  if (!held) return;
  closed(held->place);
  returns_.bury(std::move(held->place), std::move(held->message), std::move(reason));
}

// --- the ledger

void Consumers::changed(const Change& change) {
  std::visit(Overloaded{[this](const Granted& grant) { granted(grant); }, [](const Ended&) {},
                        [this](const Declared&) { want_soon(); },
                        [this](const Removed& queue) { removed(queue.queue); }},
             change);
}

void Consumers::lost() {
  for (auto& [queue, share] : shares_) stop(queue, share);
  shares_.clear();
  held_.clear();
  ready_.clear();
  for (auto& [id, subscription] : subscriptions_) subscription.held = 0;
}

void Consumers::removed(const std::string& queue) {
  const auto share = shares_.find(queue);
  if (share != shares_.end()) {
    stop(queue, share->second);
    shares_.erase(share);
  }
  std::erase_if(held_, [&](const auto& one) { return one.second.place.queue == queue; });
  std::erase_if(ready_, [&](const Ready& one) { return one.place.queue == queue; });
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == queue) subscription.held = 0;
  }
}

void Consumers::want_soon() {
  if (std::exchange(wants_soon_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    wants_soon_ = false;
    want();
  });
}

void Consumers::want() {
  if (!session_.is_live()) return;
  std::string last;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == last) continue;
    last = subscription.queue;
    if (const LedgerQueue* now = session_.ledger().queue(last)) want_of(last, *now);
  }
}

void Consumers::want_of(const std::string& queue, const LedgerQueue& now) {
  Share& share = shares_.try_emplace(queue, Share{.made = now.made}).first->second;
  const std::uint64_t taken = share.awaited.size() + share.open + share.wanted;
  const std::uint64_t room = room_of(queue);
  if (taken < room) {
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(room - taken, kMaxWant));
    share.wanted += count;
    session_.say(word::Want{.queue = queue, .made = now.made, .count = count});
  }
  read_on(queue, share);
}

void Consumers::granted(const Granted& grant) {
  const auto found = shares_.find(grant.queue);
  const Range& range = grant.span.range;
  if (grant.session != session_.id()) {
    if (found == shares_.end()) return;
    forget_ahead(found->second, range);
    return read_on(grant.queue, found->second);
  }
  const LedgerQueue* now = session_.ledger().queue(grant.queue);
  if (now == nullptr) return;  // the same entry has removed it
  Share& share = shares_.try_emplace(grant.queue, Share{.made = now->made}).first->second;
  if (grant.span.passed == 0)
    share.wanted -= std::min(share.wanted, static_cast<std::uint32_t>(range.last - range.first + 1));
  for (Offset place = range.first; place <= range.last; ++place) {
    auto ahead = share.ahead.extract(place);
    if (ahead.empty()) {
      share.awaited.emplace(place, grant.span.passed);
      continue;
    }
    share.ahead_bytes -= bytes_of(ahead.mapped().message);
    ready(grant.queue, share, std::move(ahead.mapped()), grant.span.passed);
  }
  read_on(grant.queue, share);
}

// --- reading

// What is awaited comes first; with nothing awaited, what may be wanted next is read ahead.
void Consumers::read_on(const std::string& queue, Share& share) {
  if (!share.awaited.empty()) {
    const Offset need = share.awaited.begin()->first;
    if (!comes(queue, share, need)) read(queue, share, need);
    return;
  }
  const bool is_full = share.ahead.size() >= kMaxAhead || share.ahead_bytes >= kMaxAheadBytes;
  if (room_of(queue) == 0) {
    share.ahead.clear();
    share.ahead_bytes = 0;
    return stop(queue, share);
  }
  if (share.reading && is_full) return stop(queue, share);
  const bool has_room = share.ahead.size() < kMaxAhead / 2 && share.ahead_bytes < kMaxAheadBytes / 2;
  const LedgerQueue* now = session_.ledger().queue(queue);
  if (share.reading || !has_room || now == nullptr || !session_.is_live()) return;
  read(queue, share, share.ahead.empty() ? now->next : share.ahead.rbegin()->first + 1);
}

// Whether reading on is the way to it. Where nobody has published there yet it is, however far that is: who
// asks Kafka for what lies beyond the end gets the oldest that there is.
bool Consumers::comes(const std::string& queue, const Share& share, Offset need) const {
  if (!share.reading || share.position > need) return false;
  return need - share.position <= kReadPast || need >= reader_.known_end(names_.queue(queue));
}

void Consumers::read(const std::string& queue, Share& share, Offset from) {
  share.reading = true;
  share.position = from;
  reader_.start(names_.queue(queue), from,
                [this, queue](Record record) { arrived(queue, std::move(record)); });
}

void Consumers::stop(const std::string& queue, Share& share) {
  if (std::exchange(share.reading, false)) reader_.stop(names_.queue(queue));
}

void Consumers::arrived(const std::string& queue, Record record) {
  const auto found = shares_.find(queue);
  const LedgerQueue* now = session_.ledger().queue(queue);
  if (found == shares_.end() || now == nullptr) return;
  Share& share = found->second;
  skip_holes(queue, share, record.offset);
  share.position = record.offset + 1;
  const auto awaited = share.awaited.extract(record.offset);
  if (!awaited.empty()) {
    ready(queue, share, std::move(record), awaited.mapped());
  } else if (record.offset >= now->next) {
    const std::size_t bytes = bytes_of(record.message);
    if (share.ahead.emplace(record.offset, std::move(record)).second) share.ahead_bytes += bytes;
  }
  read_on(queue, share);
}

// Offsets that Kafka has left out, such as the marks of others' transactions, hold no message.
void Consumers::skip_holes(const std::string& queue, Share& share, Offset before) {
  while (!share.awaited.empty() && share.awaited.begin()->first < before) {
    session_.done(queue, share.made, share.awaited.begin()->first);
    share.awaited.erase(share.awaited.begin());
    want_soon();
  }
}

void Consumers::forget_ahead(Share& share, const Range& range) {
  const auto first = share.ahead.lower_bound(range.first);
  const auto end = share.ahead.upper_bound(range.last);
  for (auto at = first; at != end; ++at) share.ahead_bytes -= bytes_of(at->second.message);
  share.ahead.erase(first, end);
}

// --- delivering

void Consumers::ready(const std::string& queue, Share& share, Record record, std::uint32_t passed) {
  ++share.open;
  const std::uint32_t deliveries = record.deliveries + passed;
  ready_.push_back({.place = {.queue = queue, .made = share.made, .offset = record.offset},
                    .record = std::move(record),
                    .deliveries = deliveries});
  deliver_soon();
}

void Consumers::deliver_soon() {
  if (std::exchange(delivers_soon_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) deliver_all();
  });
}

// A consumer may destroy everything.
void Consumers::deliver_all() {
  delivers_soon_ = false;
  const std::weak_ptr alive = alive_;
  while (!ready_.empty()) {
    Ready next = std::move(ready_.front());
    ready_.pop_front();
    deliver(std::move(next));
    if (alive.expired()) return;
  }
}

void Consumers::deliver(Ready ready) {
  BusMessage& message = ready.record.message;
  const bool fits_in = fits(message);
  if (!fits_in || ready.deliveries >= max_deliveries(ready.place.queue)) {
    closed(ready.place);
    return returns_.bury(std::move(ready.place), std::move(message),
                         fits_in ? "it was delivered too often" : "it is larger than a message may be");
  }
  const auto served = with_room(ready.place.queue);
  if (served == subscriptions_.end()) {
    closed(ready.place);
    return returns_.give_back(std::move(ready.place), std::move(message), ready.deliveries);
  }
  last_served_ = served->first;
  ++served->second.held;
  last_tag_ = last_tag_.next();
  held_.emplace(last_tag_, Held{.consumer = served->first,
                                .place = std::move(ready.place),
                                .message = message,
                                .deliveries = ready.deliveries});
  const std::shared_ptr<Bus::Consumer> consumer = served->second.consumer;
  (*consumer)({.tag = last_tag_, .message = std::move(message), .redelivered = ready.deliveries > 0});
}

// The one after who was served last, of those with room.
std::map<ConsumerId, Consumers::Subscription>::iterator Consumers::with_room(const std::string& queue) {
  const auto has_room = [&](const auto& one) {
    return one.second.queue == queue && one.second.held < one.second.prefetch;
  };
  const auto after = subscriptions_.upper_bound(last_served_);
  const auto found = std::find_if(after, subscriptions_.end(), has_room);
  if (found != subscriptions_.end()) return found;
  const auto before = std::find_if(subscriptions_.begin(), after, has_room);
  return before == after ? subscriptions_.end() : before;
}

std::uint64_t Consumers::room_of(const std::string& queue) const {
  std::uint64_t room = 0;
  for (const auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == queue) room += subscription.prefetch;
  }
  return room;
}

std::uint32_t Consumers::max_deliveries(const std::string& queue) const {
  const LedgerQueue* now = session_.ledger().queue(queue);
  return now == nullptr ? QueueOptions{}.max_deliveries : now->options.max_deliveries;
}

std::optional<Consumers::Held> Consumers::settle(DeliveryTag delivery) {
  auto found = held_.extract(delivery);
  if (found.empty()) return std::nullopt;
  --subscriptions_.at(found.mapped().consumer).held;
  return std::move(found.mapped());
}

void Consumers::give_back(Held held) {
  closed(held.place);
  const std::uint32_t deliveries = held.deliveries + 1;
  if (deliveries >= max_deliveries(held.place.queue))
    return returns_.bury(std::move(held.place), std::move(held.message), "it was delivered too often");
  returns_.give_back(std::move(held.place), std::move(held.message), deliveries);
}

// It isn't with a consumer any more.
void Consumers::closed(const Place& place) {
  const auto share = shares_.find(place.queue);
  if (share != shares_.end() && share->second.made == place.made) --share->second.open;
  want_soon();
}

}  // namespace ganglion::kafka

#include "adapters/nats/consumers.h"

#include <algorithm>
#include <utility>

#include "adapters/nats/acknowledgement.h"
#include "adapters/nats/headers.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::nats {
namespace {

// Until a consumer looks again whether its queue is there.
constexpr std::chrono::seconds kRetry{1};
// How much later than after `kPullLife` NATS may say that it has no more messages.
constexpr std::chrono::milliseconds kPullGrace{500};
constexpr std::uint32_t kMaxPull = 10'000;  // messages
// Of one pull: a server ends a connection that has 64 MiB to take.
constexpr std::size_t kMaxPullBytes = 16 << 20;

constexpr int kPullIsOver = 408;
constexpr int kConflict = 409;

}  // namespace

Consumers::Consumers(asio::io_context& context, Link& link, const Names& names, Queues& queues,
                     Burials& burials, Exhausted& exhausted)
    : context_(context),
      link_(link),
      names_(names),
      queues_(queues),
      burials_(burials),
      exhausted_(exhausted) {}

Consumers::~Consumers() = default;

ConsumerId Consumers::add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer) {
  last_consumer_ = last_consumer_.next();
  Subscription& added =
      subscriptions_
          .emplace(last_consumer_,
                   Subscription{.queue = std::move(queue),
                                .prefetch = prefetch,
                                .consumer = std::make_shared<Bus::Consumer>(std::move(consumer))})
          .first->second;
  look(last_consumer_, added);
  return last_consumer_;
}

void Consumers::cancel(ConsumerId id) {
  auto found = subscriptions_.extract(id);
  if (found.empty()) return;
  if (!found.mapped().inbox.empty()) link_.connection().unsubscribe(found.mapped().subscribed);
  for (const Holdings::Held& held : holdings_.take_all(id)) {
    if (!held.lapsed) link_.connection().publish(held.subject, {}, {}, kNakLater);
  }
}

void Consumers::acknowledge(DeliveryTag delivery) {
  if (const auto held = settle(delivery)) link_.connection().publish(held->subject, {}, {}, kAck);
}

void Consumers::requeue(DeliveryTag delivery) {
  if (const auto held = settle(delivery)) link_.connection().publish(held->subject, {}, {}, kNak);
}

void Consumers::bury(DeliveryTag delivery, std::string reason) {
  auto held = settle(delivery);
  if (!held) return;
  burials_.bury(subscriptions_.at(held->consumer).queue, std::move(held->subject), std::move(reason));
}

void Consumers::declared(const std::string& queue) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == queue) look(id, subscription);
  }
}

void Consumers::removed(const std::string& queue) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == queue) close(id, subscription);
  }
}

void Consumers::ready() {
  for (auto& [id, subscription] : subscriptions_) look(id, subscription);
}

void Consumers::lost() {
  holdings_.clear();
  for (auto& [id, subscription] : subscriptions_) {
    subscription.state.reset();
    subscription.inbox.clear();
    subscription.held = subscription.requested = 0;
  }
}

void Consumers::tick() {
  if (!link_.ready()) return;
  const auto now = Steady::now();
  for (auto& [id, subscription] : subscriptions_) {
    const bool is_silent = subscription.requested > 0 && now > subscription.requested_until + kPullGrace;
    if ((!subscription.state || is_silent) && now - subscription.looked > kRetry) look(id, subscription);
  }
  holdings_.tick();
}

void Consumers::stray(const Incoming& incoming) {
  if (delivery_info(incoming.reply)) link_.connection().publish(incoming.reply, {}, {}, kNakLater);
}

void Consumers::look(ConsumerId id, Subscription& subscription) {
  if (!link_.ready() || std::exchange(subscription.looking, true)) return;
  subscription.looked = Steady::now();
  queues_.look(subscription.queue, [this, id](Result<QueueState> state) { looked(id, std::move(state)); });
}

// A queue that was made again has another consumer. One that is the same and says nothing has forgotten what
// it was asked for.
void Consumers::looked(ConsumerId id, Result<QueueState> state) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  Subscription& subscription = found->second;
  subscription.looking = false;
  if (!state && state.error().code == "unavailable") return;
  const bool is_same = state && subscription.state && subscription.state->consumer == state->consumer;
  if (!is_same) close(id, subscription);
  if (!state) return;
  if (!is_same) open(id, subscription, std::move(*state));
  if (Steady::now() > subscription.requested_until + kPullGrace) subscription.requested = 0;
  pull(subscription);
}

void Consumers::open(ConsumerId id, Subscription& subscription, QueueState state) {
  exhausted_.watch(subscription.queue);
  subscription.state = std::move(state);
  subscription.inbox = link_.connection().inbox() + ".consumer." + std::to_string(id.value());
  subscription.subscribed = link_.connection().subscribe(
      subscription.inbox, [this, id](const Incoming& incoming) { heard(id, incoming); });
}

void Consumers::close(ConsumerId id, Subscription& subscription) {
  if (!subscription.inbox.empty()) link_.connection().unsubscribe(subscription.subscribed);
  if (subscription.state) newest_.erase(subscription.state->consumer);
  holdings_.take_all(id);
  subscription.inbox.clear();
  subscription.state.reset();
  subscription.held = subscription.requested = 0;
}

void Consumers::pull_soon() {
  if (std::exchange(pull_is_due_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    pull_is_due_ = false;
    for (auto& [id, subscription] : subscriptions_) pull(subscription);
  });
}

void Consumers::pull(Subscription& subscription) {
  if (subscription.inbox.empty()) return;
  const std::uint32_t taken = subscription.held + subscription.requested;
  const std::uint32_t room = subscription.prefetch - std::min(subscription.prefetch, taken);
  if (room == 0 || (subscription.requested > 0 && room < subscription.prefetch / 2)) return;
  const std::uint32_t batch = std::min(room, kMaxPull);
  const std::size_t bytes = std::max(kMaxPullBytes, link_.info().max_payload + kMaxHeaders);
  subscription.requested += batch;
  subscription.requested_until = Steady::now() + kPullLife;
  link_.connection().publish("$JS.API.CONSUMER.MSG.NEXT." + names_.queue_stream(subscription.queue) + '.' +
                                 subscription.state->consumer,
                             subscription.inbox, {},
                             JsonObject()
                                 .add("batch", std::int64_t{batch})
                                 .add("expires", std::chrono::nanoseconds(kPullLife).count())
                                 .add("max_bytes", static_cast<std::int64_t>(bytes))
                                 .finish());
}

void Consumers::heard(ConsumerId id, const Incoming& incoming) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  if (incoming.reply.empty())
    pull_ended(id, found->second, incoming.headers);
  else
    deliver(id, found->second, incoming);
}

void Consumers::pull_ended(ConsumerId id, Subscription& subscription, std::string_view headers) {
  const int status = status_of(headers);
  const bool is_full = status == kConflict && status_text(headers).contains("MaxBytes");
  if (status == kPullIsOver || is_full) {
    const auto missing = parse_number<std::uint32_t>(header(headers, "Nats-Pending-Messages"));
    subscription.requested -= std::min(subscription.requested, missing.value_or(subscription.requested));
    pull_soon();
  } else if (status >= 400) {
    close(id, subscription);
  }
}

// Others' clients keep no bounds. The consumer may destroy everything.
void Consumers::deliver(ConsumerId id, Subscription& subscription, const Incoming& incoming) {
  const auto info = delivery_info(incoming.reply);
  if (!info) return;
  subscription.requested -= std::min(subscription.requested, 1u);
  pull_soon();
  if (subscription.held >= subscription.prefetch) return stray(incoming);
  BusMessage message = message_of(incoming.headers, incoming.text);
  if (!fits(message))
    return burials_.bury(subscription.queue, std::string(incoming.reply),
                         "it is larger than a message may be");
  ++subscription.held;
  std::uint64_t& newest = newest_[subscription.state->consumer];
  const bool redelivered = info->deliveries > 1 || info->sequence <= newest;
  newest = std::max(newest, info->sequence);
  const DeliveryTag tag = holdings_.add(id, std::string(incoming.reply), subscription.state->claim_after);
  const std::shared_ptr<Bus::Consumer> consumer = subscription.consumer;
  (*consumer)({.tag = tag, .message = std::move(message), .redelivered = redelivered});
}

// One that has lapsed was given to somebody else.
std::optional<Holdings::Held> Consumers::settle(DeliveryTag delivery) {
  auto held = holdings_.take(delivery);
  if (!held) return std::nullopt;
  --subscriptions_.at(held->consumer).held;
  pull_soon();
  if (held->lapsed) return std::nullopt;
  return held;
}

}  // namespace ganglion::nats

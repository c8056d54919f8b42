#include "adapters/rabbitmq/consumers.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::rabbitmq {
namespace {

// Until a consumer looks again whether its queue is there.
constexpr std::chrono::seconds kRetry{1};
constexpr std::uint32_t kMaxPrefetch = std::numeric_limits<std::uint16_t>::max();

void append_ack(std::string& bytes, Channel channel, std::uint64_t count, bool multiple) {
  amqp_basic_ack_t ack{};
  ack.delivery_tag = count;
  ack.multiple = multiple ? 1 : 0;
  append_method(bytes, channel, AMQP_BASIC_ACK_METHOD, ack);
}

}  // namespace

Consumers::Consumers(asio::io_context& context, Link& link, const Names& names)
    : context_(context), link_(link), names_(names) {}

Consumers::~Consumers() = default;

ConsumerId Consumers::add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer) {
  last_consumer_ = last_consumer_.next();
  Subscription& added =
      subscriptions_
          .emplace(last_consumer_,
                   Subscription{.queue = std::move(queue),
                                .prefetch = std::min(prefetch, kMaxPrefetch),
                                .consumer = std::make_shared<Bus::Consumer>(std::move(consumer))})
          .first->second;
  if (link_.ready()) subscribe(last_consumer_, added);
  return last_consumer_;
}

// What was acknowledged before must not come back.
void Consumers::cancel(ConsumerId id) {
  auto found = subscriptions_.extract(id);
  if (found.empty()) return;
  Subscription& subscription = found.mapped();
  if (subscription.channel != 0) {
    flush(subscription);
    link_.connection().close_channel(subscription.channel);
  }
  forget(subscription);
}

void Consumers::acknowledge(DeliveryTag delivery) {
  const auto held = take(delivery);
  if (!held) return;
  subscriptions_.at(held->consumer).acknowledged.insert(held->count);
  flush_soon();
}

void Consumers::declared(const std::string& queue) {
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.queue == queue && subscription.channel == 0 && link_.ready())
      subscribe(id, subscription);
  }
}

void Consumers::ready() {
  for (auto& [id, subscription] : subscriptions_) subscribe(id, subscription);
}

void Consumers::lost() {
  held_.clear();
  for (auto& [id, subscription] : subscriptions_) forget(subscription);
}

void Consumers::tick() {
  if (!link_.ready()) return;
  for (auto& [id, subscription] : subscriptions_) {
    if (subscription.channel == 0 && Steady::now() - subscription.tried > kRetry) subscribe(id, subscription);
  }
}

void Consumers::subscribe(ConsumerId id, Subscription& subscription) {
  subscription.tried = Steady::now();
  Connection& connection = link_.connection();
  subscription.channel =
      connection.open_channel([this, id](const Incoming& incoming) { heard(id, incoming); });
  if (subscription.channel == 0) return;
  const std::string queue = names_.queue(subscription.queue);
  amqp_basic_qos_t qos{};
  qos.prefetch_count = static_cast<std::uint16_t>(subscription.prefetch);
  connection.send(subscription.channel, AMQP_BASIC_QOS_METHOD, qos);
  amqp_basic_consume_t consume{};
  consume.queue = bytes_of(queue);
  connection.send(subscription.channel, AMQP_BASIC_CONSUME_METHOD, consume);
}

// The broker closes the channel where there is no queue, and cancels the consumer when the queue goes.
void Consumers::heard(ConsumerId id, const Incoming& incoming) {
  const auto found = subscriptions_.find(id);
  if (found == subscriptions_.end()) return;
  if (incoming.method == AMQP_BASIC_DELIVER_METHOD) {
    deliver(id, incoming.as<amqp_basic_deliver_t>(), std::move(incoming.content->message));
  } else if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD) {
    forget(found->second);
  } else if (incoming.method == AMQP_BASIC_CANCEL_METHOD) {
    link_.connection().close_channel(found->second.channel);
    forget(found->second);
  }
}

// Others' clients keep no bounds.
void Consumers::deliver(ConsumerId id, const amqp_basic_deliver_t& deliver, BusMessage message) {
  last_tag_ = last_tag_.next();
  held_.emplace(last_tag_, Held{id, deliver.delivery_tag});
  Subscription& subscription = subscriptions_.at(id);
  subscription.unsettled.emplace(deliver.delivery_tag, last_tag_);
  if (!fits(message)) return bury(last_tag_);
  const std::shared_ptr<Bus::Consumer> consumer = subscription.consumer;
  (*consumer)({.tag = last_tag_, .message = std::move(message), .redelivered = deliver.redelivered != 0});
}

void Consumers::forget(Subscription& subscription) {
  for (const auto& [count, tag] : subscription.unsettled) held_.erase(tag);
  subscription.unsettled.clear();
  subscription.acknowledged.clear();
  subscription.channel = 0;
}

void Consumers::refuse(DeliveryTag delivery, bool requeue) {
  const auto held = take(delivery);
  if (!held) return;
  amqp_basic_reject_t reject{};
  reject.delivery_tag = held->count;
  reject.requeue = requeue ? 1 : 0;
  link_.connection().send(subscriptions_.at(held->consumer).channel, AMQP_BASIC_REJECT_METHOD, reject);
}

std::optional<Consumers::Held> Consumers::take(DeliveryTag delivery) {
  const auto held = held_.extract(delivery);
  if (held.empty()) return std::nullopt;
  subscriptions_.at(held.mapped().consumer).unsettled.erase(held.mapped().count);
  return held.mapped();
}

void Consumers::flush_soon() {
  if (std::exchange(flush_is_due_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    flush_is_due_ = false;
    for (auto& [id, subscription] : subscriptions_) flush(subscription);
  });
}

// Everything before the first that is unsettled goes with one method.
void Consumers::flush(Subscription& subscription) {
  std::set<Count>& counts = subscription.acknowledged;
  if (counts.empty()) return;
  const Count first_unsettled = subscription.unsettled.empty() ? std::numeric_limits<Count>::max()
                                                               : subscription.unsettled.begin()->first;
  std::string bytes;
  const auto rest = counts.lower_bound(first_unsettled);
  if (rest != counts.begin()) append_ack(bytes, subscription.channel, *std::prev(rest), true);
  for (auto next = rest; next != counts.end(); ++next) append_ack(bytes, subscription.channel, *next, false);
  counts.clear();
  link_.connection().write(bytes);
}

}  // namespace ganglion::rabbitmq

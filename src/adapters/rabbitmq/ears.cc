#include "adapters/rabbitmq/ears.h"

#include <algorithm>
#include <random>
#include <utility>

namespace ganglion::rabbitmq {
namespace {

std::string fresh_id() {
  std::random_device random;
  return std::to_string(random()) + "-" + std::to_string(random());
}

}  // namespace

Ears::Ears(Link& link, const Names& names, std::chrono::milliseconds patience)
    : link_(link), names_(names), patience_(patience) {}

Ears::~Ears() = default;

void Ears::add(std::string topic, Bus::Listener listener, std::function<void()> lost,
               Bus::Completion<Result<void>> ready) {
  ears_.push_back(std::make_shared<Ear>(Ear{.topic = std::move(topic),
                                            .listener = std::move(listener),
                                            .lost = std::move(lost),
                                            .ready = std::move(ready),
                                            .made = Steady::now()}));
  if (!link_.ready()) return;
  if (channel_ == 0) return open();
  bind(ears_.back());
}

void Ears::ready() {
  if (!ears_.empty()) open();
}

void Ears::tick() {
  const std::weak_ptr alive = alive_;
  const auto is_late = [&](const std::shared_ptr<Ear>& ear) {
    return ear->ready && ear->made <= Steady::now() - patience_;
  };
  for (auto late = std::ranges::find_if(ears_, is_late); late != ears_.end();
       late = std::ranges::find_if(ears_, is_late)) {
    const std::shared_ptr<Ear> ear = *late;
    ears_.erase(late);
    const std::string reason = link_.ready() ? "it is too slow" : link_.problem().reason;
    std::exchange(ear->ready, nullptr)(fail("unavailable", "RabbitMQ is not available: " + reason));
    if (alive.expired()) return;
  }
}

// A name of its own for each connection: the queue of the last one may still be there, and locked.
void Ears::open() {
  Connection& connection = link_.connection();
  binding_.clear();
  channel_ = connection.open_channel([this](const Incoming& incoming) { heard(incoming); });
  if (channel_ == 0) return;
  const std::string topics = names_.topics();
  amqp_exchange_declare_t exchange{};
  exchange.exchange = bytes_of(topics);
  exchange.type = bytes_of("topic");
  exchange.durable = 1;
  connection.send(channel_, AMQP_EXCHANGE_DECLARE_METHOD, exchange);
  queue_ = names_.listener(fresh_id());
  Table arguments;
  arguments.number("x-max-length", kMaxUnheard);
  amqp_queue_declare_t declare{};
  declare.queue = bytes_of(queue_);
  declare.exclusive = 1;
  declare.auto_delete = 1;
  declare.arguments = arguments.get();
  connection.send(channel_, AMQP_QUEUE_DECLARE_METHOD, declare);
  amqp_basic_consume_t consume{};
  consume.queue = bytes_of(queue_);
  consume.no_ack = 1;
  connection.send(channel_, AMQP_BASIC_CONSUME_METHOD, consume);
  for (const auto& ear : ears_) bind(ear);
}

void Ears::bind(const std::shared_ptr<Ear>& ear) {
  const std::string topics = names_.topics();
  amqp_queue_bind_t bind{};
  bind.queue = bytes_of(queue_);
  bind.exchange = bytes_of(topics);
  bind.routing_key = bytes_of(ear->topic);
  binding_.push_back(ear);
  link_.connection().send(channel_, AMQP_QUEUE_BIND_METHOD, bind);
}

void Ears::heard(const Incoming& incoming) {
  if (incoming.method == AMQP_QUEUE_BIND_OK_METHOD) return bound();
  if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD)
    return link_.drop(text_of(incoming.as<amqp_channel_close_t>().reply_text));
  if (incoming.method == AMQP_BASIC_CANCEL_METHOD)
    return link_.drop("somebody has removed a listener's queue");
  if (incoming.method != AMQP_BASIC_DELIVER_METHOD) return;
  const std::string topic = text_of(incoming.as<amqp_basic_deliver_t>().routing_key);
  const BusMessage message = std::move(incoming.content->message);
  const std::weak_ptr alive = alive_;
  for (const auto& ear : std::vector(ears_)) {
    if (ear->topic == topic && !ear->ready) ear->listener(message);
    if (alive.expired()) return;
  }
}

void Ears::bound() {
  if (binding_.empty()) return;
  const std::shared_ptr<Ear> ear = binding_.front();
  binding_.erase(binding_.begin());
  if (auto ready = std::exchange(ear->ready, nullptr))
    ready({});
  else if (std::ranges::find(ears_, ear) != ears_.end())
    ear->lost();
}

}  // namespace ganglion::rabbitmq

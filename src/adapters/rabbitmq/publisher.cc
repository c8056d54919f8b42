#include "adapters/rabbitmq/publisher.h"

#include <ranges>
#include <utility>

#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::rabbitmq {
namespace {

std::string publish_method(Channel channel, const std::string& exchange, const std::string& key,
                           bool mandatory) {
  amqp_basic_publish_t publish{};
  publish.exchange = bytes_of(exchange);
  publish.routing_key = bytes_of(key);
  publish.mandatory = mandatory ? 1 : 0;
  std::string bytes;
  append_method(bytes, channel, AMQP_BASIC_PUBLISH_METHOD, publish);
  return bytes;
}

}  // namespace

Publisher::Publisher(asio::io_context& context, Link& link, const Names& names,
                     std::chrono::milliseconds patience)
    : context_(context), link_(link), names_(names), patience_(patience) {}

Publisher::~Publisher() = default;

void Publisher::publish(std::string queue, BusMessage message, Done done) {
  if (!fits(message)) return later(std::move(done), too_large(message));
  const std::size_t bytes = bytes_of(message);
  if (bytes_ + bytes > kMaxPublishingBytes)
    return later(std::move(done),
                 fail("unavailable", "too many publications wait for RabbitMQ; try again later"));
  bytes_ += bytes;
  waiting_.push_back({.queue = std::move(queue),
                      .message = std::move(message),
                      .done = std::move(done),
                      .made = Steady::now()});
  pump_soon();
}

void Publisher::broadcast(const std::string& topic, const BusMessage& message) {
  if (spoken_ == 0 || blocked_ || link_.connection().backlog() > kMaxBacklog) return;
  std::string bytes = publish_method(spoken_, names_.topics(), topic, false);
  append_message(bytes, spoken_, message, 0, link_.connection().frame_max());
  link_.connection().write(bytes);
}

void Publisher::ready() {
  Connection& connection = link_.connection();
  const auto must_stay_open = [this](const Incoming& incoming) {
    if (incoming.method == AMQP_CHANNEL_CLOSE_METHOD)
      link_.drop(text_of(incoming.as<amqp_channel_close_t>().reply_text));
  };
  spoken_ = connection.open_channel(must_stay_open);
  const std::string topics = names_.topics();
  amqp_exchange_declare_t exchange{};
  exchange.exchange = bytes_of(topics);
  exchange.type = bytes_of("topic");
  exchange.durable = 1;
  connection.send(spoken_, AMQP_EXCHANGE_DECLARE_METHOD, exchange);
  confirmed_ = connection.open_channel([this, must_stay_open](const Incoming& incoming) {
    must_stay_open(incoming);
    if (incoming.method != AMQP_CHANNEL_CLOSE_METHOD) heard(incoming);
  });
  connection.send(confirmed_, AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t{});
  last_number_ = 0;
  pump();
}

void Publisher::lost() {
  confirmed_ = spoken_ = 0;
  blocked_ = false;
  for (auto& [number, publication] : std::views::reverse(on_their_way_))
    waiting_.push_front(std::move(publication));
  on_their_way_.clear();
}

void Publisher::blocked(bool blocked) {
  blocked_ = blocked;
  pump_soon();
}

// Waiting ones are older the nearer they are to the front, and so are those on their way.
void Publisher::tick() {
  const auto deadline = Steady::now() - patience_;
  const std::string reason = blocked_        ? "RabbitMQ takes no publications: it is short of memory or disk"
                             : link_.ready() ? "RabbitMQ doesn't confirm"
                                             : "RabbitMQ can't be reached: " + link_.problem().reason;
  const std::weak_ptr alive = alive_;
  while (!on_their_way_.empty() && on_their_way_.begin()->second.made <= deadline) {
    finish(std::move(on_their_way_.extract(on_their_way_.begin()).mapped()), fail("unavailable", reason));
    if (alive.expired()) return;
  }
  while (!waiting_.empty() && waiting_.front().made <= deadline) {
    Publication publication = std::move(waiting_.front());
    waiting_.pop_front();
    finish(std::move(publication), fail("unavailable", reason));
    if (alive.expired()) return;
  }
  pump();
}

// Everything that is published in one turn of the loop goes out as one piece.
void Publisher::pump_soon() {
  if (std::exchange(pump_is_due_, true)) return;
  asio::post(context_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    pump_is_due_ = false;
    pump();
  });
}

void Publisher::pump() {
  while (confirmed_ != 0 && !blocked_ && !waiting_.empty() && on_their_way_.size() < kMaxUnconfirmed &&
         link_.connection().backlog() < kMaxBacklog) {
    const auto sent = on_their_way_.emplace(++last_number_, std::move(waiting_.front())).first;
    waiting_.pop_front();
    send(sent->first, sent->second);
  }
}

void Publisher::send(std::uint64_t number, const Publication& publication) {
  std::string bytes = publish_method(confirmed_, "", names_.queue(publication.queue), true);
  append_message(bytes, confirmed_, publication.message, number, link_.connection().frame_max());
  link_.connection().write(bytes);
}

void Publisher::heard(const Incoming& incoming) {
  if (incoming.method == AMQP_BASIC_ACK_METHOD) {
    const auto& ack = incoming.as<amqp_basic_ack_t>();
    settled(ack.delivery_tag, ack.multiple != 0, true);
  } else if (incoming.method == AMQP_BASIC_NACK_METHOD) {
    const auto& nack = incoming.as<amqp_basic_nack_t>();
    settled(nack.delivery_tag, nack.multiple != 0, false);
  } else if (incoming.method == AMQP_BASIC_RETURN_METHOD) {
    // It is confirmed all the same, after this.
    const auto returned = on_their_way_.find(incoming.content->number);
    if (returned != on_their_way_.end()) returned->second.returned = true;
  }
}

void Publisher::settled(std::uint64_t number, bool multiple, bool taken) {
  const std::weak_ptr alive = alive_;
  auto next = multiple ? on_their_way_.begin() : on_their_way_.lower_bound(number);
  while (next != on_their_way_.end() && next->first <= number) {
    Publication publication = std::move(on_their_way_.extract(next).mapped());
    Result<void> result;
    if (publication.returned)
      result = unknown_queue(publication.queue);
    else if (!taken)
      result = overloaded(publication.queue);
    finish(std::move(publication), std::move(result));
    if (alive.expired()) return;
    next = multiple ? on_their_way_.begin() : on_their_way_.lower_bound(number);
  }
  pump_soon();
}

void Publisher::finish(Publication publication, Result<void> result) {
  bytes_ -= bytes_of(publication.message);
  publication.done(std::move(result));
}

void Publisher::later(Done done, Result<void> result) {
  asio::post(context_,
             [done = std::move(done), result = std::move(result), alive = std::weak_ptr(alive_)]() mutable {
               if (!alive.expired()) done(std::move(result));
             });
}

}  // namespace ganglion::rabbitmq

#include "adapters/memory/bus.h"

#include <utility>

#include "ports/bus_check.h"

namespace ganglion::memory {

Bus::~Bus() {
  cut();
  for (auto& [number, waiting] : waiting_) clock_.cancel(waiting.first);
}

void Bus::declare(std::string queue, QueueOptions options, Completion<Result<void>> done) {
  assert_bus_name(queue);
  call<void>(std::move(done), [this, queue = std::move(queue), options]() -> Result<void> {
    broker_.declare(queue, options);
    return {};
  });
}

void Bus::publish(std::string queue, BusMessage message, Completion<Result<void>> done) {
  assert_bus_name(queue);
  if (!fits(message)) return complete<void>(std::move(done), too_large(message));
  call<void>(std::move(done), [this, queue = std::move(queue), message = std::move(message)]() mutable {
    return broker_.publish(queue, std::move(message));
  });
}

void Bus::depth(std::string queue, Completion<Result<std::uint64_t>> done) {
  call<std::uint64_t>(std::move(done), [this, queue = std::move(queue)] { return broker_.depth(queue); });
}

void Bus::dead_letters(std::string queue, std::uint32_t limit,
                       Completion<Result<std::vector<BusMessage>>> done) {
  call<std::vector<BusMessage>>(std::move(done), [this, queue = std::move(queue), limit] {
    return broker_.dead_letters(queue, limit);
  });
}

void Bus::remove(std::string queue, Completion<Result<void>> done) {
  call<void>(std::move(done), [this, queue = std::move(queue)]() -> Result<void> {
    broker_.remove(queue);
    return {};
  });
}

ConsumerId Bus::consume(std::string queue, std::uint32_t prefetch, Consumer consumer) {
  assert_bus_name(queue);
  GANGLION_ASSERT(prefetch > 0);
  last_consumer_ = last_consumer_.next();
  consumers_.emplace(last_consumer_, Subscription{.queue = std::move(queue),
                                                  .prefetch = prefetch,
                                                  .consumer = std::make_shared<Consumer>(std::move(consumer)),
                                                  .seat = {}});
  if (connected_) sit_down(last_consumer_);
  return last_consumer_;
}

void Bus::cancel(ConsumerId id) {
  const auto consumer = consumers_.extract(id);
  if (consumer.empty()) return;
  std::erase_if(held_, [&](const auto& held) { return held.second == consumer.mapped().seat; });
  broker_.leave(consumer.mapped().seat);
}

void Bus::broadcast(std::string topic, BusMessage message) {
  assert_bus_name(topic);
  if (connected_) broker_.broadcast(topic, message);
}

void Bus::listen(std::string topic, Listener listener, std::function<void()> lost,
                 Completion<Result<void>> ready) {
  assert_bus_name(topic);
  call<void>(std::move(ready),
             [this, topic = std::move(topic), listener = std::move(listener),
              lost = std::move(lost)]() mutable -> Result<void> {
               ears_.push_back({.topic = std::move(topic),
                                .listener = std::make_shared<Listener>(std::move(listener)),
                                .lost = std::move(lost),
                                .seat = {}});
               hear(ears_.size() - 1);
               return {};
             });
}

std::vector<std::string> Bus::weaker_promises() const {
  return {"messages are in memory: they go with the process that holds them"};
}

void Bus::cut() {
  if (!std::exchange(connected_, false)) return;
  held_.clear();
  for (auto& [id, consumer] : consumers_) broker_.leave(consumer.seat);
  for (const Ear& ear : ears_) broker_.stop_listening(ear.seat);
}

void Bus::mend() {
  if (std::exchange(connected_, true)) return;
  for (const auto& [id, consumer] : consumers_) sit_down(id);
  for (std::size_t i = 0; i < ears_.size(); ++i) {
    hear(i);
    clock_.post([this, i, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) ears_[i].lost();
    });
  }
  // Last: what they listen to or consume is new.
  for (auto& [number, waiting] : std::exchange(waiting_, {})) {
    clock_.cancel(waiting.first);
    waiting.second(true);
  }
}

template <typename T, typename Ask>
void Bus::call(Completion<Result<T>> done, Ask ask) {
  if (connected_) return complete<T>(std::move(done), ask());
  const std::uint64_t number = ++last_call_;
  Call later = [this, done = std::move(done), ask = std::move(ask)](bool connected) mutable {
    complete<T>(std::move(done), connected
                                     ? Result<T>(ask())
                                     : fail("unavailable", "the bus can't be reached; try again later"));
  };
  const TimerId deadline = clock_.at(clock_.now() + kPatience, [this, number] {
    auto waiting = waiting_.extract(number);
    waiting.mapped().second(false);
  });
  waiting_.emplace(number, std::pair(deadline, std::move(later)));
}

template <typename T>
void Bus::complete(Completion<Result<T>> done, Result<T> result) {
  clock_.post([done = std::move(done), result = std::move(result), alive = std::weak_ptr(alive_)]() mutable {
    if (!alive.expired()) done(std::move(result));
  });
}

void Bus::settle(DeliveryTag delivery, Broker::Fate fate) {
  const auto held = held_.extract(delivery);
  if (!held.empty()) broker_.settle(held.mapped(), delivery, fate);
}

void Bus::sit_down(ConsumerId id) {
  Subscription& consumer = consumers_.at(id);
  const std::uint32_t prefetch = consumer.prefetch;
  consumer.seat = broker_.sit_down(consumer.queue, prefetch,
                                   [this, id, alive = std::weak_ptr(alive_)](Delivery delivery) {
                                     clock_.post([this, id, alive, delivery = std::move(delivery)]() mutable {
                                       if (!alive.expired()) deliver(id, std::move(delivery));
                                     });
                                   });
}

// What was on its way to a consumer that has been cancelled, or was cut off, isn't delivered any more.
void Bus::deliver(ConsumerId id, Delivery delivery) {
  const auto found = consumers_.find(id);
  if (found == consumers_.end() || !connected_) return;
  if (!broker_.holds(found->second.seat, delivery.tag)) return;
  held_.emplace(delivery.tag, found->second.seat);
  const std::shared_ptr<Consumer> consumer = found->second.consumer;
  (*consumer)(std::move(delivery));
}

void Bus::hear(std::size_t ear) {
  ears_[ear].seat =
      broker_.listen(ears_[ear].topic, [this, ear, alive = std::weak_ptr(alive_)](const BusMessage& message) {
        clock_.post([this, ear, alive, message] {
          if (alive.expired() || !connected_) return;
          const std::shared_ptr<Listener> listener = ears_[ear].listener;
          (*listener)(message);
        });
      });
}

}  // namespace ganglion::memory

#include "adapters/memory/broker.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "ports/bus_check.h"

namespace ganglion::memory {

void Broker::declare(const std::string& queue, QueueOptions options) {
  queues_[queue].options = options;
  serve(queue);
}

Result<void> Broker::publish(const std::string& name, BusMessage message) {
  const auto queue = queues_.find(name);
  if (queue == queues_.end()) return unknown_queue(name);
  if (queue->second.waiting.size() >= queue->second.options.max_length) return overloaded(name);
  queue->second.waiting.push_back({.message = std::move(message)});
  serve(name);
  return {};
}

Result<std::uint64_t> Broker::depth(const std::string& name) const {
  const auto queue = queues_.find(name);
  if (queue == queues_.end()) return unknown_queue(name);
  return queue->second.waiting.size();
}

Result<std::vector<BusMessage>> Broker::dead_letters(const std::string& name, std::uint32_t limit) const {
  const auto queue = queues_.find(name);
  if (queue == queues_.end()) return unknown_queue(name);
  const auto oldest = queue->second.dead | std::views::take(limit);
  return std::vector<BusMessage>(oldest.begin(), oldest.end());
}

// What consumers hold of it is gone as well: nothing is settled or given back to a queue of that name.
void Broker::remove(const std::string& name) {
  queues_.erase(name);
  for (auto& [id, seat] : seats_) {
    if (seat.queue == name) seat.held.clear();
  }
}

SeatId Broker::sit_down(const std::string& queue, std::uint32_t prefetch, Deliver deliver) {
  last_seat_ = last_seat_.next();
  seats_.emplace(last_seat_,
                 Seat{.queue = queue, .prefetch = prefetch, .deliver = std::move(deliver), .held = {}});
  serve(queue);
  return last_seat_;
}

void Broker::leave(SeatId id) {
  auto seat = seats_.extract(id);
  if (seat.empty()) return;
  for (auto& [tag, message] : std::views::reverse(seat.mapped().held))
    give_back(seat.mapped().queue, std::move(message));
  serve(seat.mapped().queue);
}

bool Broker::holds(SeatId id, DeliveryTag delivery) const {
  const auto seat = seats_.find(id);
  return seat != seats_.end() && seat->second.held.contains(delivery);
}

void Broker::settle(SeatId id, DeliveryTag delivery, Fate fate) {
  const auto seat = seats_.find(id);
  if (seat == seats_.end()) return;
  auto held = seat->second.held.extract(delivery);
  if (held.empty()) return;
  const std::string& queue = seat->second.queue;
  if (fate == Fate::back) give_back(queue, std::move(held.mapped()));
  if (fate == Fate::buried) bury(queues_.at(queue), std::move(held.mapped().message));
  serve(queue);
}

void Broker::broadcast(const std::string& topic, const BusMessage& message) const {
  for (const auto& [id, listener] : listeners_) {
    if (listener.topic == topic) listener.hear(message);
  }
}

SeatId Broker::listen(const std::string& topic, Hear hear) {
  last_seat_ = last_seat_.next();
  listeners_.emplace(last_seat_, Listener{topic, std::move(hear)});
  return last_seat_;
}

void Broker::serve(const std::string& name) {
  const auto found = queues_.find(name);
  if (found == queues_.end()) return;
  Queue& queue = found->second;
  while (!queue.waiting.empty()) {
    const auto free = next_free_seat(name);
    if (!free) return;
    Message message = std::move(queue.waiting.front());
    queue.waiting.pop_front();
    const bool redelivered = message.deliveries++ > 0;
    last_tag_ = last_tag_.next();
    Seat& seat = seats_.at(*free);
    const Message& held = seat.held.emplace(last_tag_, std::move(message)).first->second;
    seat.deliver({.tag = last_tag_, .message = held.message, .redelivered = redelivered});
  }
}

// The next one after the last that was served.
std::optional<SeatId> Broker::next_free_seat(const std::string& queue) {
  const auto has_room = [&](const auto& entry) {
    const Seat& seat = entry.second;
    return seat.queue == queue && seat.held.size() < seat.prefetch;
  };
  SeatId& last = last_served_[queue];
  const auto after = seats_.upper_bound(last);
  auto free = std::find_if(after, seats_.end(), has_room);
  if (free == seats_.end()) {
    free = std::find_if(seats_.begin(), after, has_room);
    if (free == after) return std::nullopt;
  }
  return last = free->first;
}

// To the front: it has waited longest.
void Broker::give_back(const std::string& name, Message message) {
  const auto queue = queues_.find(name);
  if (queue == queues_.end()) return;
  if (message.deliveries >= queue->second.options.max_deliveries)
    bury(queue->second, std::move(message.message));
  else
    queue->second.waiting.push_front(std::move(message));
}

void Broker::bury(Queue& queue, BusMessage message) {
  queue.dead.push_back(std::move(message));
  if (queue.dead.size() > kMaxDeadLetters) queue.dead.pop_front();
}

}  // namespace ganglion::memory

#include "contract/bus_driver.h"

#include <optional>
#include <utility>

namespace ganglion::testing {

Delivery Inbox::next() {
  loop_.run_until([this] { return !deliveries_.empty(); });
  Delivery first = std::move(deliveries_.front());
  deliveries_.pop_front();
  return first;
}

std::vector<std::string> Inbox::next_ids(std::size_t count) {
  std::vector<std::string> ids;
  while (ids.size() < count) ids.push_back(next().message.id);
  return ids;
}

template <typename T, typename Call>
T BusDriver::wait_for(Call call) {
  std::optional<T> answer;
  call([&answer](T value) { answer = std::move(value); });
  loop_.run_until([&answer] { return answer.has_value(); });
  return std::move(*answer);
}

Result<void> BusDriver::declare(const std::string& queue, QueueOptions options) {
  return wait_for<Result<void>>([&](auto done) { bus_.declare(queue, options, std::move(done)); });
}

Result<void> BusDriver::publish(const std::string& queue, BusMessage message) {
  return wait_for<Result<void>>([&](auto done) { bus_.publish(queue, std::move(message), std::move(done)); });
}

void BusDriver::publish_all(const std::string& queue, const std::vector<std::string>& ids) {
  std::size_t taken = 0;
  for (const std::string& id : ids)
    bus_.publish(queue, bus_message(id), [&taken](Result<void> result) { taken += result ? 1 : 0; });
  loop_.run_until([&] { return taken == ids.size(); });
}

Result<std::uint64_t> BusDriver::depth(const std::string& queue) {
  return wait_for<Result<std::uint64_t>>([&](auto done) { bus_.depth(queue, std::move(done)); });
}

void BusDriver::wait_for_depth(const std::string& queue, std::uint64_t depth) {
  while (this->depth(queue) != depth) continue;
}

Result<std::vector<BusMessage>> BusDriver::dead_letters(const std::string& queue, std::uint32_t limit) {
  return wait_for<Result<std::vector<BusMessage>>>(
      [&](auto done) { bus_.dead_letters(queue, limit, std::move(done)); });
}

std::vector<std::string> BusDriver::wait_for_dead_letters(const std::string& queue, std::size_t count) {
  std::vector<std::string> ids;
  do {
    ids.clear();
    for (const BusMessage& letter : dead_letters(queue).value()) ids.push_back(letter.id);
  } while (ids.size() < count);
  return ids;
}

Result<void> BusDriver::remove(const std::string& queue) {
  return wait_for<Result<void>>([&](auto done) { bus_.remove(queue, std::move(done)); });
}

Result<void> BusDriver::listen(const std::string& topic, Bus::Listener listener, std::function<void()> lost) {
  return wait_for<Result<void>>(
      [&](auto done) { bus_.listen(topic, std::move(listener), std::move(lost), std::move(done)); });
}

BusMessage bus_message(std::string id) {
  std::string body = R"({"for":")" + id + "\"}";
  return {.id = std::move(id), .type = "ganglion.test.v1", .reply_to = "answers", .body = std::move(body)};
}

std::vector<std::string> numbered(const std::string& prefix, std::size_t count) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(prefix + std::to_string(i));
  return ids;
}

}  // namespace ganglion::testing

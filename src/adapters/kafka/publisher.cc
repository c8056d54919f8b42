#include "adapters/kafka/publisher.h"

#include <algorithm>
#include <utility>

#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::kafka {

// A queue that isn't known may have been declared by somebody else a moment ago.
void Publisher::publish(std::string queue, BusMessage message, Done done) {
  if (!fits(message)) return later(std::move(done), too_large(message));
  const std::size_t bytes = bytes_of(message);
  if (count_ == kMaxPublishing || bytes_ + bytes > kMaxPublishingBytes)
    return later(std::move(done),
                 fail("unavailable", "too many publications wait for Kafka; try again later"));
  ++count_;
  bytes_ += bytes;
  Done finish = [this, bytes, done = std::move(done)](Result<void> result) mutable {
    --count_;
    bytes_ -= bytes;
    done(std::move(result));
  };
  if (const LedgerQueue* to = session_.ledger().queue(queue))
    return send(*to, queue, message, std::move(finish));
  auto answer = std::make_shared<Done>(patience_.limit<void>(std::move(finish)));
  session_.sync([this, alive = std::weak_ptr(alive_), queue, message = std::move(message), answer] {
    if (alive.expired()) return;
    const LedgerQueue* to = session_.ledger().queue(queue);
    if (to == nullptr) return (*answer)(unknown_queue(queue));
    send(*to, queue, message, std::move(*answer));
  });
}

void Publisher::send(const LedgerQueue& to, const std::string& queue, const BusMessage& message, Done done) {
  Traffic& traffic = traffic_of(to, queue);
  const Offset first_waiting = std::min(to.next, traffic.end);
  const std::uint64_t waiting = static_cast<std::uint64_t>(traffic.end - first_waiting) + traffic.on_its_way;
  if (waiting >= to.options.max_length) return later(std::move(done), overloaded(queue));
  ++traffic.on_its_way;
  producer_.send(names_.queue(queue), 0, headers_of(message), message.body,
                 [this, queue, made = to.made, done = std::move(done)](const Result<Offset>& sent) mutable {
                   const auto found = traffic_.find(queue);
                   if (found != traffic_.end() && found->second.made == made) {
                     --found->second.on_its_way;
                     if (sent) found->second.end = std::max(found->second.end, *sent + 1);
                   }
                   if (sent) return done({});
                   done(std::unexpected(sent.error()));
                 });
}

Publisher::Traffic& Publisher::traffic_of(const LedgerQueue& to, const std::string& queue) {
  Traffic& traffic = traffic_[queue];
  if (traffic.made != to.made) traffic = {.made = to.made};
  return traffic;
}

void Publisher::broadcast(const std::string& topic, const BusMessage& message) {
  Headers headers = headers_of(message);
  headers.emplace_back(kTopic, topic);
  producer_.send(names_.topics(), 0, headers, message.body, [](const Result<Offset>&) {});
}

void Publisher::later(Done done, Result<void> result) {
  asio::post(context_,
             [alive = std::weak_ptr(alive_), done = std::move(done), result = std::move(result)]() mutable {
               if (!alive.expired()) done(std::move(result));
             });
}

}  // namespace ganglion::kafka

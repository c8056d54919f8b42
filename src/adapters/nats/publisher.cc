#include "adapters/nats/publisher.h"

#include <ranges>
#include <utility>

#include "adapters/nats/headers.h"
#include "adapters/nats/json.h"
#include "adapters/nats/requests.h"
#include "base/asio/asio.h"
#include "ports/bus_check.h"

namespace ganglion::nats {
namespace {

constexpr int kNobodyListens = 503;

Result<void> outcome(const Incoming& answer, const std::string& queue) {
  if (status_of(answer.headers) == kNobodyListens) return unknown_queue(queue);
  const auto error = api_error(answer.text);
  if (!error) return {};
  if (error->number == kTooManyMessages) return overloaded(queue);
  if (error->number == kStreamNotFound) return unknown_queue(queue);
  const bool too_large = error->number == kMessageTooLarge;
  return fail(too_large ? "too_large" : "unavailable", "NATS takes no message: " + error->description);
}

std::unexpected<Error> beyond_max_payload(std::size_t max_payload) {
  return fail("too_large", "the message is larger than NATS takes (" + std::to_string(max_payload) +
                               " bytes with its headers); raise `max_payload` in its configuration");
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
                 fail("unavailable", "too many publications wait for NATS; try again later"));
  bytes_ += bytes;
  waiting_.push_back({.queue = std::move(queue),
                      .message = std::move(message),
                      .done = std::move(done),
                      .made = Steady::now()});
  pump_soon();
}

void Publisher::broadcast(const std::string& topic, const BusMessage& message) {
  if (link_.ready() && link_.connection().backlog() <= kMaxBacklog)
    send(names_.topic_subject(topic), {}, message);
}

void Publisher::ready() {
  open_ = true;
  inbox_ = link_.connection().inbox() + ".publication.";
  link_.connection().subscribe(inbox_ + '*', [this](const Incoming& incoming) { heard(incoming); });
  pump_soon();
}

void Publisher::lost() {
  open_ = false;
  for (auto& [number, publication] : std::views::reverse(on_their_way_))
    waiting_.push_front(std::move(publication));
  on_their_way_.clear();
}

// Waiting ones are older the nearer they are to the front, and so are those on their way.
void Publisher::tick() {
  const auto deadline = Steady::now() - patience_;
  const std::weak_ptr alive = alive_;
  const auto give_up = [&](Publication publication) {
    finish(std::move(publication), fail("unavailable", "NATS is not available: " + link_.problem()));
    return !alive.expired();
  };
  while (!on_their_way_.empty() && on_their_way_.begin()->second.made <= deadline) {
    if (!give_up(std::move(on_their_way_.extract(on_their_way_.begin()).mapped()))) return;
  }
  while (!waiting_.empty() && waiting_.front().made <= deadline) {
    Publication publication = std::move(waiting_.front());
    waiting_.pop_front();
    if (!give_up(std::move(publication))) return;
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
  const std::weak_ptr alive = alive_;
  while (open_ && !waiting_.empty() && on_their_way_.size() < kMaxUnconfirmed &&
         link_.connection().backlog() < kMaxBacklog) {
    Publication next = std::move(waiting_.front());
    waiting_.pop_front();
    const std::uint64_t number = ++last_number_;
    if (send(names_.queue_subject(next.queue), inbox_ + std::to_string(number), next.message)) {
      on_their_way_.emplace(number, std::move(next));
      continue;
    }
    finish(std::move(next), beyond_max_payload(link_.info().max_payload));
    if (alive.expired()) return;
  }
}

bool Publisher::send(const std::string& subject, const std::string& reply, const BusMessage& message) {
  const std::string headers = headers_of(message);
  if (headers.size() + message.body.size() > link_.info().max_payload) return false;
  link_.connection().publish(subject, reply, headers, message.body);
  return true;
}

void Publisher::heard(const Incoming& incoming) {
  auto publication = on_their_way_.extract(inbox_number(incoming.subject));
  if (publication.empty()) return;
  Result<void> result = outcome(incoming, publication.mapped().queue);
  if (!waiting_.empty()) pump_soon();
  finish(std::move(publication.mapped()), std::move(result));
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

}  // namespace ganglion::nats

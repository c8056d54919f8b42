#include "adapters/nats/requests.h"

#include <utility>

#include "base/asio/asio.h"

namespace ganglion::nats {

std::uint64_t inbox_number(std::string_view subject) {
  return parse_number<std::uint64_t>(subject.substr(subject.rfind('.') + 1)).value_or(0);
}

void Requests::ask(Question question, Steady::time_point until, Done done) {
  if (requests_.size() >= kMaxRequests) {
    asio::post(context_, [done = std::move(done), alive = std::weak_ptr(alive_)]() mutable {
      if (!alive.expired()) done(fail("unavailable", "too many questions wait for NATS; try again later"));
    });
    return;
  }
  const auto request =
      requests_
          .emplace(++last_number_,
                   Request{.question = std::move(question), .until = until, .done = std::move(done)})
          .first;
  if (link_.ready()) send(request->first, request->second.question);
}

void Requests::ready() {
  inbox_ = link_.connection().inbox() + ".request.";
  link_.connection().subscribe(inbox_ + '*', [this](const Incoming& incoming) { heard(incoming); });
  for (const auto& [number, request] : requests_) send(number, request.question);
}

// Completions may ask, or destroy everything.
void Requests::tick() {
  const auto now = Steady::now();
  const std::weak_ptr alive = alive_;
  for (auto next = requests_.begin(); next != requests_.end();) {
    if (next->second.until > now) {
      ++next;
      continue;
    }
    const std::uint64_t number = next->first;
    auto late = requests_.extract(next);
    late.mapped().done(fail("unavailable", "NATS is not available: " + link_.problem()));
    if (alive.expired()) return;
    next = requests_.upper_bound(number);
  }
}

void Requests::send(std::uint64_t number, const Question& question) {
  link_.connection().publish(question.subject, inbox_ + std::to_string(number), question.headers,
                             question.body);
}

void Requests::heard(const Incoming& incoming) {
  auto request = requests_.extract(inbox_number(incoming.subject));
  if (request.empty()) return;
  request.mapped().done(Answer{.headers = std::string(incoming.headers), .body = std::string(incoming.text)});
}

}  // namespace ganglion::nats

#include "adapters/nats/ears.h"

#include <algorithm>
#include <utility>

#include "adapters/nats/headers.h"

namespace ganglion::nats {

void Ears::add(std::string topic, Bus::Listener listener, std::function<void()> lost,
               Bus::Completion<Result<void>> ready) {
  ears_.push_back(std::make_shared<Ear>(Ear{.topic = std::move(topic),
                                            .listener = std::move(listener),
                                            .lost = std::move(lost),
                                            .ready = std::move(ready),
                                            .made = Steady::now()}));
  if (link_.ready()) subscribe(ears_.back());
}

void Ears::ready() {
  for (const auto& ear : ears_) subscribe(ear);
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
    ear->given_up = true;
    std::exchange(ear->ready, nullptr)(fail("unavailable", "NATS is not available: " + link_.problem()));
    if (alive.expired()) return;
  }
}

// It listens once the server has answered what was said after the subscription.
void Ears::subscribe(const std::shared_ptr<Ear>& ear) {
  link_.connection().subscribe(names_.topic_subject(ear->topic), [ear](const Incoming& incoming) {
    if (!ear->ready && !ear->given_up) ear->listener(message_of(incoming.headers, incoming.text));
  });
  link_.connection().round_trip([ear] {
    if (ear->given_up) return;
    if (auto ready = std::exchange(ear->ready, nullptr))
      ready({});
    else
      ear->lost();
  });
}

}  // namespace ganglion::nats

#include "adapters/redis/bus_hearing.h"

#include <algorithm>
#include <utility>

namespace ganglion::redis {

void BusHearing::subscribe(std::string channel, Heard heard,
                           std::move_only_function<void(Result<Since>)> listening) {
  ears_.push_back(std::make_shared<Ear>(Ear{.channel = std::move(channel),
                                            .heard = std::move(heard),
                                            .listening = std::move(listening),
                                            .made = Steady::now()}));
  if (link_.ready()) ask(ears_.back());
}

void BusHearing::ready() {
  heard_ = Steady::now();
  asked_.clear();
  link_.hear([this](const Reply& reply) { hear(reply); });
  for (const auto& ear : ears_) ask(ear);
}

void BusHearing::tick() {
  if (link_.ready()) {
    if (Steady::now() - heard_ > silence_)
      link_.drop("the server has been silent for " + std::to_string(silence_.count()) + " ms");
    else
      link_.say(command({"PING"}));
  }
  const std::weak_ptr alive = alive_;
  const auto is_late = [&](const std::shared_ptr<Ear>& ear) {
    return !ear->has_listened && ear->made <= Steady::now() - patience_;
  };
  for (auto late = std::ranges::find_if(ears_, is_late); late != ears_.end();
       late = std::ranges::find_if(ears_, is_late)) {
    const std::shared_ptr<Ear> ear = *late;
    ears_.erase(late);
    ear->listening(fail("unavailable", "Redis is not available: " + link_.problem()));
    if (alive.expired()) return;
  }
}

void BusHearing::ask(const std::shared_ptr<Ear>& ear) {
  asked_.push_back(ear);
  link_.say(command({"SUBSCRIBE", ear->channel}));
}

// [message, channel, text], [subscribe, channel, number], [pong, text]
void BusHearing::hear(const Reply& reply) {
  heard_ = Steady::now();
  if (reply.is_error()) return link_.drop(reply.text);
  if (reply.elements.size() < 3) return;
  if (reply.elements[0].text == "subscribe") return confirmed();
  const std::weak_ptr alive = alive_;
  for (const auto& ear : std::vector(ears_)) {
    if (ear->has_listened && ear->channel == reply.elements[1].text) ear->heard(reply.elements[2].text);
    if (alive.expired()) return;
  }
}

void BusHearing::confirmed() {
  if (asked_.empty()) return;
  const std::shared_ptr<Ear> ear = asked_.front();
  asked_.pop_front();
  if (std::ranges::find(ears_, ear) == ears_.end()) return;
  ear->listening(std::exchange(ear->has_listened, true) ? Since::again : Since::first);
}

}  // namespace ganglion::redis

#include "agents/circuit_breaker.h"

#include <algorithm>

#include "base/overloaded.h"

namespace ganglion::agents {

void Breaker::configure(CircuitBreaker settings) {
  settings_ = settings;
  auto* closed = std::get_if<Closed>(&state_);
  while (closed && closed->failures.size() >= std::max(settings.failures, std::uint32_t{1})) {
    closed->failures.pop_front();
  }
}

BreakerState Breaker::state(Timestamp now) const {
  return std::visit(Overloaded{[](const Closed&) { return BreakerState::closed; },
                               [&](const Opened& opened) {
                                 return now < opened.until ? BreakerState::open : BreakerState::half_open;
                               }},
                    state_);
}

bool Breaker::admits(Timestamp now) const {
  return std::visit(Overloaded{[](const Closed&) { return true; },
                               [&](const Opened& opened) { return now >= opened.until && !opened.probe; }},
                    state_);
}

std::optional<Timestamp> Breaker::open_until(Timestamp now) const {
  const auto* opened = std::get_if<Opened>(&state_);
  return opened && now < opened->until ? std::optional(opened->until) : std::nullopt;
}

bool Breaker::is_probe(const AttemptToken& token) const {
  const auto* opened = std::get_if<Opened>(&state_);
  return opened && opened->probe == token;
}

void Breaker::handed_out(const AttemptToken& token, Timestamp now) {
  auto* opened = std::get_if<Opened>(&state_);
  if (opened && now >= opened->until) opened->probe = token;
}

void Breaker::answered(const AttemptToken& token) {
  if (is_probe(token)) state_ = Closed{};
}

void Breaker::failed(const AttemptToken& token, Timestamp now) {
  auto* closed = std::get_if<Closed>(&state_);
  if (!closed) {
    if (is_probe(token)) state_ = Opened{now + settings_.open, std::nullopt};
    return;
  }
  std::deque<Timestamp>& failures = closed->failures;
  while (!failures.empty() && now - failures.front() >= settings_.window) failures.pop_front();
  if (failures.size() + 1 >= settings_.failures) {
    state_ = Opened{now + settings_.open, std::nullopt};
  } else {
    failures.push_back(now);
  }
}

void Breaker::abandoned(const AttemptToken& token) {
  if (is_probe(token)) std::get<Opened>(state_).probe.reset();
}

}  // namespace ganglion::agents

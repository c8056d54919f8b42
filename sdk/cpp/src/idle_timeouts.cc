#include "idle_timeouts.h"

#include <algorithm>
#include <cstdlib>

#include "ganglion/error.h"

namespace ganglion {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kFresh{30};
constexpr milliseconds kUnknown{500};  // between heartbeats, while the idle timeout is not known
constexpr milliseconds kLeast{20};
constexpr milliseconds kNone = std::chrono::hours(24);

}  // namespace

milliseconds parse_duration(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"d", 8.64e7}};
  double sum = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const double amount = std::atof(std::string(text.substr(0, digits)).c_str());
    text.remove_prefix(digits);
    const std::string_view unit = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
    const auto* known = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
    if (known == std::end(kUnits)) return milliseconds(0);
    sum += amount * known->second;
    text.remove_prefix(unit.size());
  }
  return milliseconds(static_cast<std::int64_t>(sum));
}

milliseconds IdleTimeouts::interval(const std::string& agent) const {
  const auto at = known_.find(agent);
  return at == known_.end() ? kUnknown : at->second.interval;
}

void IdleTimeouts::look(const std::string& agent, Clock::time_point now) {
  const auto [at, fresh] = known_.try_emplace(agent, Known{kUnknown, now});
  if (!fresh && now - at->second.asked < kFresh) return;
  at->second.asked = now;
  http_.send({.path = "/v1/agents/" + percent_encoded(agent)}, [this, agent](const HttpOutcome& outcome) {
    if (!outcome.response || outcome.response->status != 200) return;
    const boost::json::value answer = outcome.response->json();
    const boost::json::value* timeout = answer.as_object().if_contains("idle_timeout");
    const milliseconds idle =
        timeout && timeout->is_string() ? parse_duration(timeout->as_string()) : milliseconds(0);
    known_[agent].interval = idle.count() > 0 ? std::max(kLeast, idle / 3) : kNone;
  });
}

}  // namespace ganglion

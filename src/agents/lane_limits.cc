#include "agents/lane_limits.h"

#include "base/assert.h"

namespace ganglion::agents {

void LaneLimits::configure(const AgentDefinition& agent, const RunId& run,
                           std::optional<std::size_t> usual_concurrency, Timestamp now) {
  if (run < newest_) return;
  newest_ = run;
  concurrency_ = agent.concurrency ? std::optional<std::size_t>(*agent.concurrency) : usual_concurrency;
  if (!agent.rate_limit) {
    rate_.reset();
  } else if (rate_) {
    rate_->configure(*agent.rate_limit, now);
  } else {
    rate_.emplace(*agent.rate_limit, now);
  }
  if (!agent.breaker) {
    breaker_.reset();
  } else if (breaker_) {
    breaker_->configure(*agent.breaker);
  } else {
    breaker_.emplace(*agent.breaker);
  }
}

Hold LaneLimits::hold(Timestamp now) const {
  if (breaker_ && !breaker_->admits(now)) return Hold::circuit_breaker;
  if (concurrency_ && handed_out_ >= *concurrency_) return Hold::concurrency;
  if (rate_ && !rate_->admits(now)) return Hold::rate_limit;
  return Hold::nothing;
}

std::optional<Timestamp> LaneLimits::held_until(Timestamp now) const {
  switch (hold(now)) {
    case Hold::nothing:
    case Hold::concurrency:
      return std::nullopt;
    case Hold::rate_limit:
      return rate_->next();
    case Hold::circuit_breaker:
      return breaker_->open_until(now);
  }
  return std::nullopt;
}

void LaneLimits::handed_out(const AttemptToken& token, Timestamp now) {
  ++handed_out_;
  if (rate_) rate_->take(now);
  if (breaker_) breaker_->handed_out(token, now);
}

void LaneLimits::put_back(const AttemptToken& token, Timestamp handed_out_at, Timestamp now) {
  released(token);
  if (rate_) rate_->give_back(handed_out_at, now);
}

void LaneLimits::released(const AttemptToken& token) {
  GANGLION_ASSERT(handed_out_ > 0);
  --handed_out_;
  abandoned(token);
}

void LaneLimits::answered(const AttemptToken& token) {
  if (breaker_) breaker_->answered(token);
}

void LaneLimits::failed(const AttemptToken& token, Timestamp now) {
  if (breaker_) breaker_->failed(token, now);
}

void LaneLimits::abandoned(const AttemptToken& token) {
  if (breaker_) breaker_->abandoned(token);
}

std::optional<BreakerState> LaneLimits::breaker(Timestamp now) const {
  return breaker_ ? std::optional(breaker_->state(now)) : std::nullopt;
}

}  // namespace ganglion::agents

#pragma once

// How often something is tried, how fast, for how long and for how much: what `defaults:`, agents and steps
// say alike.

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/workflow.h"
#include "project/fields.h"

namespace ganglion::project {

// `base` with the keys that the field sets.
RetryPolicy read_retry(const Field& field, const RetryPolicy& base, Diagnostics& diagnostics);
CircuitBreaker read_breaker(const Field& field, const CircuitBreaker& base, Diagnostics& diagnostics);

// What stands behind the '/' of a rate: s, m or h.
std::optional<Duration> unit_of_rate(std::string_view unit);
// {requests: 60/m}
std::optional<Rate> read_rate_limit(const Field& field, Diagnostics& diagnostics);
std::optional<std::uint32_t> read_concurrency(const Field& field, Diagnostics& diagnostics);
// {tokens, usd}
std::optional<Budget> read_budget(const Field& field, Diagnostics& diagnostics);

// What `defaults:` sets, key by key.
struct Defaults {
  Duration timeout = AgentDefinition{}.timeout;
  RetryPolicy retry;
  std::optional<Duration> idle_timeout;
  std::optional<CircuitBreaker> breaker;
  std::optional<std::uint32_t> concurrency;
  std::optional<Rate> rate_limit;
  std::optional<Field> fallback;  // to be read when the agents are known
};

Defaults read_defaults(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project

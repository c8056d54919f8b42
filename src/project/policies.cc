#include "project/policies.h"

#include <charconv>
#include <cmath>
#include <string_view>

namespace ganglion::project {
namespace {

constexpr std::int64_t kMaxAttempts = 1000;
constexpr std::int64_t kMaxBreakerFailures = 10'000;
constexpr std::int64_t kMaxConcurrency = 10'000;
constexpr std::uint32_t kMaxRateCount = 1'000'000;

std::optional<Backoff> read_backoff(const Field& field, Diagnostics& diagnostics) {
  const std::string_view kind = field.value->text;
  if (kind == "constant") return Backoff::constant;
  if (kind == "exponential") return Backoff::exponential;
  diagnostics.add(field.position, field.path,
                  "expected constant or exponential, got " + describe(*field.value));
  return std::nullopt;
}

std::optional<Rate> parse_rate(std::string_view text) {
  Rate rate;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, rate.count);
  if (error != std::errc() || rest == end || *rest != '/') return std::nullopt;
  const auto per = unit_of_rate({rest + 1, end});
  if (!per || rate.count < 1 || rate.count > kMaxRateCount) return std::nullopt;
  rate.per = *per;
  return rate;
}

std::optional<Rate> read_rate(const Field& field, Diagnostics& diagnostics) {
  if (field.value->kind == YamlKind::text) {
    if (const auto rate = parse_rate(field.value->text)) return rate;
  }
  diagnostics.add(field.position, field.path,
                  "expected a rate such as 60/s, 500/m or 1000/h, at most " + std::to_string(kMaxRateCount) +
                      " of them, got " + describe(*field.value));
  return std::nullopt;
}

std::optional<double> read_amount(const Field& field, Diagnostics& diagnostics) {
  if (field.value->kind == YamlKind::integer || field.value->kind == YamlKind::number) {
    const double amount = number_of(*field.value);
    if (std::isfinite(amount) && amount > 0) return amount;
  }
  diagnostics.add(field.position, field.path,
                  "expected a number greater than 0, got " + describe(*field.value));
  return std::nullopt;
}

}  // namespace

std::optional<Duration> unit_of_rate(std::string_view unit) {
  if (unit == "s") return Duration(1'000);
  if (unit == "m") return Duration(60'000);
  if (unit == "h") return Duration(3'600'000);
  return std::nullopt;
}

RetryPolicy read_retry(const Field& field, const RetryPolicy& base, Diagnostics& diagnostics) {
  RetryPolicy retry = base;
  Fields fields(field, diagnostics);
  if (const auto attempts = fields.take("max_attempts")) {
    const auto number = read_integer(*attempts, 1, kMaxAttempts, diagnostics);
    retry.max_attempts = static_cast<std::uint32_t>(number.value_or(base.max_attempts));
  }
  if (const auto backoff = fields.take("backoff")) {
    retry.backoff = read_backoff(*backoff, diagnostics).value_or(base.backoff);
  }
  const auto initial = fields.take("initial");
  if (initial) retry.initial = read_duration(*initial, diagnostics).value_or(base.initial);
  const auto max = fields.take("max");
  if (max) retry.max = read_duration(*max, diagnostics).value_or(base.max);
  if (const auto jitter = fields.take("jitter")) {
    retry.jitter = read_number(*jitter, 0, 1, diagnostics).value_or(base.jitter);
  }
  fields.finish();
  if (retry.initial > retry.max && (initial || max)) {
    const Field& culprit = initial ? *initial : *max;
    diagnostics.add(culprit.position, culprit.path,
                    "initial (" + format_duration(retry.initial) + ") is longer than max (" +
                        format_duration(retry.max) + ")");
  }
  return retry;
}

CircuitBreaker read_breaker(const Field& field, const CircuitBreaker& base, Diagnostics& diagnostics) {
  CircuitBreaker breaker = base;
  Fields fields(field, diagnostics);
  if (const auto failures = fields.take("failures")) {
    const auto number = read_integer(*failures, 1, kMaxBreakerFailures, diagnostics);
    breaker.failures = static_cast<std::uint32_t>(number.value_or(base.failures));
  }
  if (const auto window = fields.take("window")) {
    breaker.window = read_timeout(*window, diagnostics).value_or(base.window);
  }
  if (const auto open = fields.take("open")) {
    breaker.open = read_timeout(*open, diagnostics).value_or(base.open);
  }
  fields.finish();
  return breaker;
}

std::optional<Rate> read_rate_limit(const Field& field, Diagnostics& diagnostics) {
  Fields fields(field, diagnostics);
  if (field.value->kind != YamlKind::map) return std::nullopt;
  const auto requests = fields.take("requests");
  const bool later = fields.take("tokens").has_value();
  fields.refuse({"tokens"});
  fields.finish();
  if (requests) return read_rate(*requests, diagnostics);
  if (!later) {
    diagnostics.add(field.position, field.path, "a rate_limit needs \"requests\", such as {requests: 60/m}");
  }
  return std::nullopt;
}

std::optional<std::uint32_t> read_concurrency(const Field& field, Diagnostics& diagnostics) {
  const auto number = read_integer(field, 1, kMaxConcurrency, diagnostics);
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

std::optional<Budget> read_budget(const Field& field, Diagnostics& diagnostics) {
  Fields fields(field, diagnostics);
  if (field.value->kind != YamlKind::map) return std::nullopt;
  Budget budget;
  const auto tokens = fields.take("tokens");
  if (tokens) budget.tokens = read_amount(*tokens, diagnostics);
  const auto usd = fields.take("usd");
  if (usd) budget.usd = read_amount(*usd, diagnostics);
  fields.finish();
  if (!tokens && !usd) {
    diagnostics.add(field.position, field.path, "a budget needs \"tokens\", \"usd\" or both");
  }
  return budget;
}

Defaults read_defaults(const Field& field, Diagnostics& diagnostics) {
  Defaults defaults;
  Fields fields(field, diagnostics);
  if (const auto timeout = fields.take("timeout")) {
    defaults.timeout = read_timeout(*timeout, diagnostics).value_or(defaults.timeout);
  }
  if (const auto retry = fields.take("retry")) {
    defaults.retry = read_retry(*retry, defaults.retry, diagnostics);
  }
  if (const auto idle = fields.take("idle_timeout")) defaults.idle_timeout = read_timeout(*idle, diagnostics);
  if (const auto breaker = fields.take("circuit_breaker")) {
    defaults.breaker = read_breaker(*breaker, {}, diagnostics);
  }
  if (const auto concurrency = fields.take("concurrency")) {
    defaults.concurrency = read_concurrency(*concurrency, diagnostics);
  }
  if (const auto rate = fields.take("rate_limit")) defaults.rate_limit = read_rate_limit(*rate, diagnostics);
  defaults.fallback = fields.take("fallback");
  // "For every agent": each key of an agent may stand here one day.
  fields.refuse({"model", "guardrails"});
  fields.finish();
  return defaults;
}

}  // namespace ganglion::project

#include "core/usage.h"

#include <boost/json.hpp>

#include "base/json_text.h"

namespace ganglion {
namespace {

constexpr double kMostUsed = 1e15;

}  // namespace

Usage read_usage(const Payload& payload) {
  Usage usage;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(payload.bytes(), error);
  const auto* fields = value.if_object();
  if (error || fields == nullptr) return usage;
  for (const auto& [name, amount] : *fields) {
    if (!amount.is_number()) continue;
    const double number = amount.to_number<double>();
    if (number >= 0 && number <= kMostUsed) usage[std::string(name)] += number;
  }
  return usage;
}

void add(Usage& to, const Usage& amounts) {
  for (const auto& [name, amount] : amounts) to[name] += amount;
}

void add(Budget& to, const Budget& amount, double sign) {
  to.tokens = to.tokens.value_or(0) + sign * amount.tokens.value_or(0);
  to.usd = to.usd.value_or(0) + sign * amount.usd.value_or(0);
}

Budget as_budget(const Usage& usage) {
  const auto amount = [&](const char* name) {
    const auto found = usage.find(name);
    return found == usage.end() ? 0.0 : found->second;
  };
  const bool total = usage.contains("tokens");
  return {.tokens = total ? amount("tokens") : amount("input_tokens") + amount("output_tokens"),
          .usd = amount("usd")};
}

std::string usage_json(const Usage& usage) {
  JsonObject object;
  for (const auto& [name, amount] : usage) object.add_number(name, amount);
  return object.finish();
}

}  // namespace ganglion

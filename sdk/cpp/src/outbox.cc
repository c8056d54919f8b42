#include "outbox.h"

#include <algorithm>

namespace ganglion {
namespace {

constexpr std::size_t kMaxBatch = 256;
constexpr std::size_t kMaxBatchBytes = 4u << 20;  // unless a single one is longer

}  // namespace

bool Outbox::contains(std::string_view token) const {
  return std::ranges::any_of(results_, [&](const PendingResult& result) { return result.token == token; });
}

PendingResult* Outbox::find(std::string_view token) {
  const auto at =
      std::ranges::find_if(results_, [&](const PendingResult& result) { return result.token == token; });
  return at == results_.end() ? nullptr : &*at;
}

std::vector<PendingResult*> Outbox::batch() {
  std::vector<PendingResult*> chosen;
  std::size_t bytes = 0;
  for (PendingResult& result : results_) {
    bytes += result.result.body.size();
    if (!chosen.empty() && (one_by_one_ || chosen.size() == kMaxBatch || bytes > kMaxBatchBytes)) break;
    chosen.push_back(&result);
  }
  return chosen;
}

void Outbox::settle(const std::vector<std::string>& tokens) {
  results_.remove_if(
      [&](const PendingResult& result) { return std::ranges::find(tokens, result.token) != tokens.end(); });
  one_by_one_ = false;
}

}  // namespace ganglion

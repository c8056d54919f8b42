#pragma once

#include <cstddef>

#include "core/ids.h"

namespace ganglion::cluster {

// Of attempts, for tables that are looked up and never walked.
struct TokenHash {
  std::size_t operator()(const AttemptToken& token) const noexcept {
    std::size_t hash = token.run.hash();
    for (const std::uint32_t part : {token.step.value(), token.item.value(), token.attempt.value()})
      hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    return hash;
  }
};

}  // namespace ganglion::cluster

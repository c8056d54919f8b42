#pragma once

// Parameters of the query that several resources take.

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "ingress/http/problem.h"
#include "ingress/http/target.h"

namespace ganglion::ingress {

inline constexpr std::uint32_t kDefaultLimit = 50;
inline constexpr std::uint32_t kMaxLimit = 200;

// The query of a target that the server has parsed before.
http::Target query_of(std::string_view target);

std::expected<std::uint32_t, http::Problem> limit_of(const http::Target& target);

// Nothing if it isn't there.
std::expected<std::optional<Duration>, http::Problem> wait_of(const http::Target& target, Duration longest);

// A non-negative integer, in the query (`name` says which) or in a header.
std::expected<std::uint64_t, http::Problem> sequence_of(std::string_view text, const char* name);

}  // namespace ganglion::ingress

#pragma once

// The names of things. Run ids sort by time; a token names one attempt of one task and is the fence: a result
// counts only if its token names the current attempt.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong_id.h"
#include "base/time.h"

namespace ganglion {

// Position of a step in its workflow's declaration order.
using StepIndex = StrongId<struct StepIndexTag, std::uint32_t>;
// Position in a mapped step's list; 0 for a step that is not mapped.
using ItemIndex = StrongId<struct ItemIndexTag, std::uint32_t>;
// 1 for the first attempt of a task; only grows.
using Attempt = StrongId<struct AttemptTag, std::uint32_t>;

// 48 bits of milliseconds and 80 random bits (the ULID specification); written as 26 characters of
// Crockford's base 32, whose order is the order of the ids.
class RunId {
 public:
  static constexpr std::size_t kLength = 26;

  RunId() = default;
  // `entropy_high` gives the upper 16 of the 80 random bits, `entropy_low` the other 64.
  static RunId make(Timestamp now, std::uint16_t entropy_high, std::uint64_t entropy_low);
  // Nothing unless `text` has the form of a run id (upper case, first character at most '7').
  static std::optional<RunId> parse(std::string_view text);

  // The run that performs a task of another run: the same for the same attempt, with the same placement key.
  static RunId of_sub_run(const struct AttemptToken& task, Timestamp scheduled_at);

  std::string text() const;
  // The 128 bits, most significant first: the order of the bytes is the order of the ids.
  using Bytes = std::array<unsigned char, 16>;
  Bytes bytes() const;
  static RunId from_bytes(const Bytes& bytes);
  // By which runs are shared out: the upper random bits, the same for a run and all that it starts.
  std::uint16_t placement_key() const { return static_cast<std::uint16_t>(high_); }
  // Spreads well: the random bits.
  std::size_t hash() const { return low_; }

  auto operator<=>(const RunId&) const = default;

 private:
  RunId(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  std::uint64_t high_ = 0;  // time and the upper random bits
  std::uint64_t low_ = 0;
};

// Written `run/step/item/attempt`, with the step by position.
struct AttemptToken {
  RunId run;
  StepIndex step;
  ItemIndex item;
  Attempt attempt;

  std::string text() const;
  // `run/step/item`: the same for every attempt, so that an agent can make its side effect once.
  std::string idempotency_key() const;
  static std::optional<AttemptToken> parse(std::string_view text);
  // `run-step-item-attempt`: the same, fit for a path.
  std::string path_text() const;
  static std::optional<AttemptToken> parse_path(std::string_view text);

  auto operator<=>(const AttemptToken&) const = default;
};

}  // namespace ganglion

template <>
struct std::hash<ganglion::RunId> {
  std::size_t operator()(const ganglion::RunId& id) const noexcept { return id.hash(); }
};

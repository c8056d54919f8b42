#pragma once

// A strong id is an integer that can't be mixed up with another kind of integer: no implicit conversion, no
// arithmetic. `using StepIndex = StrongId<struct StepIndexTag, std::uint32_t>;`

#include <compare>
#include <cstddef>
#include <functional>

namespace ganglion {

template <typename Tag, typename Integer>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(Integer value) : value_(value) {}

  constexpr Integer value() const { return value_; }
  constexpr StrongId next() const { return StrongId(static_cast<Integer>(value_ + 1)); }

  constexpr auto operator<=>(const StrongId&) const = default;

 private:
  Integer value_{};
};

}  // namespace ganglion

template <typename Tag, typename Integer>
struct std::hash<ganglion::StrongId<Tag, Integer>> {
  std::size_t operator()(ganglion::StrongId<Tag, Integer> id) const noexcept {
    return std::hash<Integer>{}(id.value());
  }
};

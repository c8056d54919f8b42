#pragma once

// Counts what an evaluation uses against its budget. Once exceeded it stays exceeded, and the error is never
// absorbed by `||` or `&&`.

#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "core/expr/limits.h"

namespace ganglion::expr {

class Meter {
 public:
  explicit Meter(const Limits& limits) : left_(limits.cost) {}

  bool charge(std::uint64_t units) {
    if (units > left_) {
      left_ = 0;
      exceeded_ = true;
    } else {
      left_ -= units;
    }
    return !exceeded_;
  }
  bool charge_bytes(std::size_t count) { return charge(count / kBytesPerUnit); }

  bool exceeded() const { return exceeded_; }
  std::uint64_t left() const { return left_; }

  static std::unexpected<Error> error() {
    return fail("cost_exceeded",
                "the expression is too expensive for these values: its cost limit is reached");
  }

 private:
  std::uint64_t left_;
  bool exceeded_ = false;
};

}  // namespace ganglion::expr

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ports/random.h"

namespace ganglion {

// The kernel's generator, read in blocks. A value is wiped from the buffer when it is given out.
class OsRandom final : public Random {
 public:
  std::uint64_t next() override;

 private:
  void refill();

  std::array<std::uint64_t, 64> buffer_{};
  std::size_t left_ = 0;
};

}  // namespace ganglion

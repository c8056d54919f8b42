#pragma once

#include <cstdint>

namespace ganglion {

class Random {
 public:
  virtual ~Random() = default;

  // 64 bits that nobody can guess.
  virtual std::uint64_t next() = 0;
};

}  // namespace ganglion

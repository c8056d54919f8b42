#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace ganglion {

// 128 random bits in hex.
inline std::string random_id() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::random_device random;
  std::string id;
  while (id.size() < 32) {
    for (std::uint32_t bits = random(), i = 0; i < 8; ++i, bits >>= 4) id += kHex[bits & 15];
  }
  return id;
}

}  // namespace ganglion

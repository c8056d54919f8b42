#pragma once

#include <random>
#include <string>

namespace ganglion::nats {

// A word that nobody else has.
inline std::string fresh_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 16; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

}  // namespace ganglion::nats

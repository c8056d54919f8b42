#pragma once

// How much of what agents are told they, or others of the run, have been told before.

#include <cstdint>
#include <string_view>
#include <unordered_set>

namespace ganglion {

class ContextMeter {
 public:
  // An input that is handed out for the first time. Values of it that were part of an earlier one, byte for
  // byte, count as repeated; the outermost of them count.
  void first(std::string_view input);
  // The same input once more.
  void again(std::string_view input);
  // Given out before anything is measured.
  void known(std::string_view input);

  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t repeated() const { return repeated_; }

 private:
  std::uint64_t bytes_ = 0;
  std::uint64_t repeated_ = 0;
  std::unordered_set<std::size_t> seen_;  // hashes of values; looked up, never walked
};

}  // namespace ganglion

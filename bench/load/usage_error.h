#pragma once

// Something that was asked for can't be measured; the text says what to do instead.

#include <stdexcept>

namespace ganglion::bench {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace ganglion::bench

#pragma once

// A bug, not an expected failure: stays on in release builds, prints where, and ends the process. Recovery is
// then what it always is: another coordinator (or the restarted one) goes on from the journal.

namespace ganglion {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace ganglion

#define GANGLION_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::ganglion::assertion_failed(#expression, __FILE__, __LINE__))

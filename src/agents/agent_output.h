#pragma once

// What comes out of programs and servers that the engine doesn't control, made fit to be kept: outputs that
// are one JSON value, and texts that are valid UTF-8 of bounded length.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/payload.h"
#include "base/result.h"

namespace ganglion::agents {

inline constexpr int kMaxOutputDepth = 64;
inline constexpr std::size_t kMaxErrorTail = 8192;  // bytes of standard error kept for a failure's message

// `bytes` without the white space around it, if that is one JSON value (RFC 8259) in UTF-8 that is not deeper
// than kMaxOutputDepth. Error `invalid_output` says where it isn't.
Result<Payload> read_output(std::string_view bytes);

// `bytes` with everything that is not UTF-8 replaced by U+FFFD and control characters other than line ends
// and tabs by '?'.
std::string readable(std::string_view bytes);

// The last bytes of what was appended.
class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}

  void append(std::string_view bytes);
  // Readable, white space at the end removed, starting with "…" if something was left out.
  std::string text() const;

 private:
  std::size_t limit_;
  std::string bytes_;
  bool cut_ = false;
};

}  // namespace ganglion::agents

#pragma once

// Server-sent events (WHATWG HTML, section 9.2) read from a stream of bytes in whatever pieces it arrives.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ganglion::cli {

inline constexpr std::size_t kMaxSseEvent = 32
                                            << 20;  // bytes of one event: a map's list may be megabytes long

struct SseEvent {
  std::string type = "message";
  std::string data;
  std::string last_id;  // the last `id:` of the stream so far

  bool operator==(const SseEvent&) const = default;
};

class SseParser {
 public:
  using Sink = std::function<void(SseEvent)>;

  // Calls `sink` for every event that these bytes complete. Error code `event_too_large`; the parser is then
  // of no more use.
  Result<void> feed(std::string_view bytes, const Sink& sink);

  const std::string& last_id() const { return last_id_; }

 private:
  void end_line(const Sink& sink);
  void take_field(std::string_view name, std::string_view value);

  std::string line_;
  std::string type_;
  std::string data_;
  std::string last_id_;
  bool has_data_ = false;
  bool after_carriage_return_ = false;
  bool first_line_ = true;
};

}  // namespace ganglion::cli

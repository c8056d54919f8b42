#pragma once

// Server-sent events (HTML standard) out of bytes cut anywhere.

#include <string>
#include <string_view>
#include <vector>

namespace ganglion {

class EventStreamParser {
 public:
  // The `data` of the events that `bytes` completes.
  std::vector<std::string> feed(std::string_view bytes);

 private:
  std::string rest_;
  std::string data_;
  bool has_data_ = false;
};

}  // namespace ganglion

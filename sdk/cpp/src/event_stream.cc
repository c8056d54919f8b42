#include "event_stream.h"

namespace ganglion {

std::vector<std::string> EventStreamParser::feed(std::string_view bytes) {
  std::vector<std::string> events;
  rest_.append(bytes);
  std::size_t start = 0;
  for (std::size_t end; (end = rest_.find('\n', start)) != std::string::npos; start = end + 1) {
    std::string_view line(rest_.data() + start, end - start);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {
      if (has_data_) events.push_back(std::move(data_));
      data_.clear();
      has_data_ = false;
    } else if (line.starts_with("data:")) {
      line.remove_prefix(5);
      if (line.starts_with(' ')) line.remove_prefix(1);
      if (has_data_) data_ += '\n';
      data_ += line;
      has_data_ = true;
    }
  }
  rest_.erase(0, start);
  return events;
}

}  // namespace ganglion

#include "cli/sse.h"

#include <algorithm>
#include <utility>

namespace ganglion::cli {

Result<void> SseParser::feed(std::string_view bytes, const Sink& sink) {
  while (!bytes.empty()) {
    if (after_carriage_return_) {
      after_carriage_return_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
    if (line_.size() + data_.size() + end > kMaxSseEvent) {
      return fail("event_too_large",
                  "an event of the stream has more than " + std::to_string(kMaxSseEvent) + " bytes");
    }
    line_ += bytes.substr(0, end);
    bytes.remove_prefix(end);
    if (bytes.empty()) break;
    after_carriage_return_ = bytes.front() == '\r';
    bytes.remove_prefix(1);
    end_line(sink);
    line_.clear();
  }
  return {};
}

void SseParser::end_line(const Sink& sink) {
  std::string_view line = line_;
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (!line.empty()) {
    const std::size_t colon = line.find(':');
    if (colon == 0) return;  // a comment, which servers send to keep the connection alive
    std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    take_field(line.substr(0, colon), value);
    return;
  }
  if (std::exchange(has_data_, false)) {
    data_.pop_back();  // the line end after the last `data:`
    sink({type_.empty() ? "message" : std::move(type_), std::move(data_), last_id_});
  }
  type_.clear();
  data_.clear();
}

void SseParser::take_field(std::string_view name, std::string_view value) {
  if (name == "data") {
    has_data_ = true;
    data_.append(value) += '\n';
  } else if (name == "event") {
    type_ = value;
  } else if (name == "id" && !value.contains('\0')) {
    last_id_ = value;
  }
}

}  // namespace ganglion::cli

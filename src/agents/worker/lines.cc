#include "agents/worker/lines.h"

#include <algorithm>

#include "agents/agent_output.h"

namespace ganglion::agents {

void Lines::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::size_t room = max_line_ - partial_.size();
    if (end != std::string_view::npos && end <= room) {
      partial_ += bytes.substr(0, end);
      bytes.remove_prefix(end + 1);
      emit();
      continue;
    }
    const std::size_t taken = std::min(room, bytes.size());
    partial_ += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (partial_.size() == max_line_ && !bytes.empty()) emit();
  }
}

void Lines::finish() {
  if (!partial_.empty()) emit();
}

void Lines::emit() {
  std::string_view line = partial_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  receive_(readable(line));
  partial_.clear();
}

}  // namespace ganglion::agents

#pragma once

// Events of the log as text, and as CloudEvents to publish.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/styled_line.h"

namespace ganglion::cli {

// `time  type  source  ← cause  data`, from one of the items of GET /v1/events.
StyledLine event_line(std::string_view event);

struct EventDraft {
  std::string id, source, type;
  std::optional<std::string> subject;
  std::optional<std::uint32_t> topic_version;
  std::optional<std::string> data;  // JSON
};
// Structured JSON (CloudEvents 1.0).
std::string cloud_event(const EventDraft& draft);

}  // namespace ganglion::cli

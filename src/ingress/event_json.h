#pragma once

#include <string>

#include "core/topic_event.h"

namespace ganglion::ingress {

// An event of the log as a CloudEvent, with its position and its cause.
std::string event_json(const TopicEvent& event);

}  // namespace ganglion::ingress

#include "core/topic_event.h"

#include "base/json_text.h"

namespace ganglion {

Payload event_payload(const TopicEvent& event) {
  JsonObject object;
  object.add("id", event.id).add("type", event.topic).add("source", event.source);
  object.add("time", format_rfc3339(event.time));
  if (event.subject) object.add("subject", *event.subject);
  object.add_raw("data", event.data.bytes());
  return Payload(object.finish());
}

}  // namespace ganglion

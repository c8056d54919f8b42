#include "ingress/event_json.h"

#include "base/json_text.h"

namespace ganglion::ingress {
namespace {

std::string cause_json(const TopicEvent& event) {
  if (!event.run && !event.step && !event.cause) return "null";
  JsonObject cause;
  if (event.run) {
    cause.add("run_id", event.run->text());
  } else {
    cause.add_raw("run_id", "null");
  }
  if (event.step) {
    cause.add("step", *event.step);
  } else {
    cause.add_raw("step", "null");
  }
  cause.add_raw("event", event.cause ? std::to_string(*event.cause) : "null");
  return cause.finish();
}

}  // namespace

std::string event_json(const TopicEvent& event) {
  JsonObject object;
  object.add("specversion", "1.0").add("id", event.id).add("source", event.source).add("type", event.topic);
  object.add("time", format_rfc3339(event.time));
  if (event.subject) object.add("subject", *event.subject);
  object.add("datacontenttype", "application/json").add_raw("data", event.data.bytes());
  object.add("seq", static_cast<std::int64_t>(event.seq));
  object.add_raw("topicversion", event.version == 0 ? "null" : std::to_string(event.version));
  object.add("hops", std::int64_t{event.hops}).add_raw("cause", cause_json(event));
  return object.finish();
}

}  // namespace ganglion::ingress

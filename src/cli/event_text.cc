#include "cli/event_text.h"

#include "base/json_text.h"
#include "cli/fields.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

// `event 7, run 01K…, step notify`: the nearest cause last.
std::string cause_of(const Fields& cause) {
  std::string text;
  const auto add = [&](const char* what, std::string_view name) {
    if (!cause.has(name)) return;
    text += (text.empty() ? "" : ", ") + std::string(what) + cause.text(name);
  };
  add("event ", "event");
  add("run ", "run_id");
  add("step ", "step");
  return text;
}

}  // namespace

StyledLine event_line(std::string_view json) {
  const Fields event(json);
  StyledLine line = {{printable(event.text("time")) + "  ", Tint::faint},
                     {printable(event.text("seq")) + "  ", Tint::faint},
                     {printable(event.text("type")), Tint::strong},
                     {"  " + printable(event.text("source"))}};
  if (const std::string subject = event.text("subject"); !subject.empty())
    line.push_back({"  (" + printable(subject) + ")"});
  if (const std::string cause = cause_of(event.object("cause")); !cause.empty())
    line.push_back({"  ← " + printable(cause), Tint::busy});
  if (event.has("data")) line.push_back({"  " + printable(event.raw("data")), Tint::faint});
  return line;
}

std::string cloud_event(const EventDraft& draft) {
  JsonObject event;
  event.add("specversion", "1.0").add("id", draft.id).add("source", draft.source).add("type", draft.type);
  if (draft.subject) event.add("subject", *draft.subject);
  if (draft.topic_version) event.add("topicversion", std::int64_t{*draft.topic_version});
  if (draft.data) event.add("datacontenttype", "application/json").add_raw("data", *draft.data);
  return event.finish();
}

}  // namespace ganglion::cli

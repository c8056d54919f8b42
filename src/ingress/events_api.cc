#include "ingress/events_api.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json_text.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "coordinator/event_router.h"
#include "core/blob_references.h"
#include "core/topic.h"
#include "ingress/blob_check.h"
#include "ingress/event_json.h"
#include "ingress/event_request.h"
#include "ingress/event_stream.h"
#include "ingress/http/router.h"
#include "ingress/page.h"
#include "ingress/problems.h"
#include "ingress/query.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

// What a request publishes: events for the log, and those that become dead letters.
struct Publishing {
  Dependencies dependencies;
  http::Responder responder;
  std::vector<TopicEvent> events;       // in the order of the request
  std::vector<bool> buried;             // of each
  std::vector<Appended> appended = {};  // of those that are not buried

  static void bury(const std::shared_ptr<Publishing>& self, std::size_t from) {
    while (from < self->events.size() && !self->buried[from]) ++from;
    if (from == self->events.size()) return append(self);
    const TopicEvent& event = self->events[from];
    const Error error{"unknown_topic_version", "the project has no version " + std::to_string(event.version) +
                                                   " of the topic " + event.topic};
    const std::string key = event.source + " " + event.id + " " + std::to_string(event.version);
    self->dependencies.store.put_record(dead_event(event, key, error, self->dependencies.clock.now()),
                                        [self, from](const Result<void>& put) {
                                          if (!put) return self->responder.fail(problem_of(put.error()));
                                          bury(self, from + 1);
                                        });
  }

  static void append(const std::shared_ptr<Publishing>& self) {
    std::vector<TopicEvent> events;
    for (std::size_t i = 0; i < self->events.size(); ++i) {
      if (!self->buried[i]) events.push_back(self->events[i]);
    }
    if (events.empty()) return self->answer();
    self->dependencies.events.append(std::move(events), [self](Result<std::vector<Appended>> appended) {
      if (!appended) return self->responder.fail(problem_of(appended.error()));
      self->appended = *std::move(appended);
      self->answer();
    });
  }

  void answer() {
    std::string items = "[";
    std::size_t next = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const Appended* in_log = buried[i] ? nullptr : &appended[next++];
      JsonObject object;
      object.add("source", events[i].source).add("id", events[i].id);
      object.add_raw("seq", in_log ? std::to_string(in_log->seq) : "null");
      object.add("duplicate", in_log != nullptr && in_log->existed).add("dead_lettered", in_log == nullptr);
      if (items.size() > 1) items += ',';
      items += object.finish();
    }
    responder.respond(http::Response::json(202, "{\"items\":" + items + "]}"));
  }
};

// A page, read on until it is full or the log is at its end: the store may give less than there is.
struct Reading {
  Dependencies dependencies;
  http::Responder responder;
  EventQuery query;
  std::uint32_t wanted;
  Page page = {};
  std::uint32_t count = 0;

  static void read(const std::shared_ptr<Reading>& self) {
    if (!self->responder.open()) return;
    self->dependencies.store.read_events(self->query, [self](Result<std::vector<TopicEvent>> events) {
      if (!events) return self->responder.fail(problem_of(events.error()));
      if (events->empty()) return self->responder.respond(std::move(self->page).answer(std::nullopt));
      for (const TopicEvent& event : *events) {
        if (self->count == self->wanted) {
          return self->responder.respond(std::move(self->page).answer(std::to_string(*self->query.before)));
        }
        self->page.add(event_json(event));
        ++self->count;
        self->query.before = event.seq;
      }
      read(self);
    });
  }
};

}  // namespace

void EventsApi::register_routes(http::Router& router) {
  router.add(http::Method::post, "/v1/events",
             [this](const http::Request& request, http::Responder responder) {
               publish(request, std::move(responder));
             });
  router.add(http::Method::get, "/v1/events",
             [this](const http::Request& request, http::Responder responder) {
               read(request, std::move(responder));
             });
}

void EventsApi::publish(const http::Request& request, http::Responder responder) {
  auto events = read_events(request, dependencies_.clock.now());
  if (!events) return responder.fail(events.error());
  const auto project = dependencies_.definitions.active();
  std::vector<http::FieldError> errors;
  std::vector<bool> buried;
  std::vector<std::string> blobs;
  for (std::size_t i = 0; i < events->size(); ++i) {
    TopicEvent& event = (*events)[i];
    buried.push_back(check_topic(project.get(), event, event_path(request, i), errors) ==
                     TopicCheck::unknown_version);
    find_blob_references(event.data.bytes(), blobs);
  }
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  auto publishing = std::make_shared<Publishing>(dependencies_, std::move(responder), *std::move(events),
                                                 std::move(buried));
  check_blobs(dependencies_.store, std::move(blobs), [publishing](Result<void> there) {
    if (!there) return publishing->responder.fail(blob_problem(there.error(), ""));
    Publishing::bury(publishing, 0);
  });
}

void EventsApi::read(const http::Request& request, http::Responder responder) {
  const http::Target target = query_of(request.target());
  std::string pattern(target.parameter("topic").value_or("**"));
  if (!is_topic_pattern(pattern)) {
    return responder.fail(
        invalid_parameter("topic", "must be a topic or a pattern such as file.* or file.**"));
  }
  const bool streams =
      request.header("accept").value_or("").find("text/event-stream") != std::string_view::npos;
  if (streams) {
    // Last-Event-ID wins over `after`, because a browser repeats the URL when it connects again.
    std::optional<std::uint64_t> after;
    const auto last = request.header("last-event-id");
    const auto asked = target.parameter("after");
    if (last && !last->empty()) {
      const auto seq = sequence_of(*last, "Last-Event-ID");
      if (!seq) return responder.fail(seq.error());
      after = *seq;
    } else if (asked) {
      const auto seq = sequence_of(*asked, "after");
      if (!seq) return responder.fail(seq.error());
      after = *seq;
    }
    if (request.method == http::Method::head) return responder.respond({200, "text/event-stream", {}, {}});
    // A position beyond the end is one of another log.
    const std::uint64_t end = dependencies_.events.last();
    return EventLogStream::begin(dependencies_, std::move(pattern), std::min(after.value_or(end), end),
                                 std::move(responder));
  }
  const auto limit = limit_of(target);
  if (!limit) return responder.fail(limit.error());
  EventQuery query;
  query.pattern = std::move(pattern);
  query.limit = *limit + 1;
  if (const auto cursor = target.parameter("cursor"); cursor && !cursor->empty()) {
    const auto before = sequence_of(*cursor, "cursor");
    if (!before) return responder.fail(before.error());
    query.before = *before;
  }
  Reading::read(std::make_shared<Reading>(dependencies_, std::move(responder), std::move(query), *limit));
}

}  // namespace ganglion::ingress

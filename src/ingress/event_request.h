#pragma once

// CloudEvents 1.0 (https://github.com/cloudevents/spec) as they come over HTTP: structured, batched, binary.
//
// Data is JSON: events travel into expressions and inputs. Attributes that the engine has no use for
// (`dataschema`, extensions other than `topicversion`) are let through and forgotten, as the specification
// wants it of consumers.

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "core/topic_event.h"
#include "core/workflow.h"
#include "ingress/http/message.h"
#include "ingress/http/problem.h"

namespace ganglion::ingress {

inline constexpr std::size_t kMaxEventId = 255;
inline constexpr std::size_t kMaxEventSource = 1024;
inline constexpr std::size_t kMaxEventSubject = 1024;
inline constexpr std::size_t kMaxEventBatch = 1000;

// Not empty. `now` is the time of an event that says none. Problems: 400, 413, 415, 422.
std::expected<std::vector<TopicEvent>, http::Problem> read_events(const http::Request& request,
                                                                  Timestamp now);

// Where the event stands in the request: "" or, of a batch, "/3".
std::string event_path(const http::Request& request, std::size_t index);

// What the project says about an event's topic. An event without a version becomes one of the latest.
enum class TopicCheck { good, unknown_version, invalid };
TopicCheck check_topic(const Project* project, TopicEvent& event);
// The same with every flaw of the data, by its path below `path`.
TopicCheck check_topic(const Project* project, TopicEvent& event, const std::string& path,
                       std::vector<http::FieldError>& errors);

}  // namespace ganglion::ingress

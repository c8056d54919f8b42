#include "ingress/event_request.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/json_text.h"
#include "core/topic.h"
#include "ingress/body.h"
#include "ingress/http/json_check.h"
#include "ingress/problems.h"
#include "ingress/run_request.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kStructured = "application/cloudevents+json";
constexpr const char* kBatch = "application/cloudevents-batch+json";
constexpr std::uint32_t kMaxVersion = 1'000'000;
// The engine's own: a client that took one could keep a run's event out of the log.
constexpr std::string_view kRuns = "/v1/runs/";

// The attributes of one event, from either form.
struct Attributes {
  std::string specversion, id, source, type;
  std::optional<std::string> subject, time, content_type;
  std::optional<std::int64_t> version;
};

class Checker {
 public:
  Checker(std::string path, std::vector<http::FieldError>& errors)
      : path_(std::move(path)), errors_(errors) {}

  void error(std::string_view attribute, std::string message) {
    if (errors_.size() < kMaxErrors) errors_.push_back({pointer_to(path_, attribute), std::move(message)});
  }

  TopicEvent check(const Attributes& given, Timestamp now) {
    if (given.specversion != "1.0") error("specversion", "must be 1.0");
    text("id", given.id, kMaxEventId);
    text("source", given.source, kMaxEventSource);
    if (given.source.starts_with(kRuns))
      error("source", "must not begin with /v1/runs/: those are the runs' own");
    if (given.type.size() > kMaxTopic || !is_topic(given.type)) {
      error("type",
            "must be a topic: words of letters, digits, '_' and '-' joined by '.', at most 255 bytes");
    }
    if (given.subject) text("subject", *given.subject, kMaxEventSubject);
    if (given.content_type && !is_json(*given.content_type)) {
      error("datacontenttype", "must be JSON; put other content into a blob and refer to it");
    }
    if (given.version && (*given.version < 1 || *given.version > kMaxVersion)) {
      error("topicversion", "must be a version of the topic, from 1");
    }
    TopicEvent event{.id = given.id, .source = given.source, .topic = given.type, .time = now, .data = {}};
    event.subject = given.subject;
    if (given.version) event.version = static_cast<std::uint32_t>(*given.version);
    if (given.time) {
      const auto time = parse_rfc3339(*given.time);
      if (!time) error("time", "must be a time such as 2026-03-01T09:30:00Z");
      event.time = time.value_or(now);
    }
    return event;
  }

 private:
  void text(std::string_view attribute, const std::string& value, std::size_t longest) {
    if (value.empty() || value.size() > longest || has_control_character(value)) {
      error(attribute, "must have 1 to " + std::to_string(longest) + " bytes, without control characters");
    }
  }

  static bool is_json(std::string_view type) {
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ')) type.remove_suffix(1);
    return http::equal_ignoring_case(type, "application/json") || type.ends_with("+json");
  }

  std::string path_;
  std::vector<http::FieldError>& errors_;
};

http::Problem data_too_large(const std::string& path, std::size_t size) {
  return payload_too_large("the data" + (path.empty() ? std::string() : " of event " + path.substr(1)), size);
}

// --- the JSON form
// -----------------------------------------------------------------------------------------------

std::optional<std::string> text_of(std::string_view json) {
  if (!json.starts_with('"')) return std::nullopt;
  auto text = read_json_string(json);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::expected<TopicEvent, http::Problem> read_event(std::string_view json, const std::string& path,
                                                    Timestamp now, std::vector<http::FieldError>& errors) {
  Checker checker(path, errors);
  if (!json.starts_with('{')) {
    errors.push_back({path, "must be an object"});
    return TopicEvent{};
  }
  Attributes given;
  std::string_view data = "null";
  JsonMembers members(json);
  while (const auto member = members.next()) {
    const std::string_view name = member->name;
    const std::string_view value = member->value;
    if (name == "data") {
      data = value;
    } else if (name == "data_base64") {
      checker.error(name, "is not taken: send JSON, or put the content into a blob and refer to it");
    } else if (name == "topicversion") {
      given.version = integer_of(text_of(value).value_or(std::string(value)));
      if (!given.version) checker.error(name, "must be a version of the topic, from 1");
    } else if (value != "null") {
      const auto text = text_of(value);
      const auto take = [&](auto& attribute) {
        if (text) {
          attribute = *text;
        } else {
          checker.error(name, "must be a string");
        }
      };
      if (name == "specversion") take(given.specversion);
      if (name == "id") take(given.id);
      if (name == "source") take(given.source);
      if (name == "type") take(given.type);
      if (name == "subject") take(given.subject);
      if (name == "time") take(given.time);
      if (name == "datacontenttype") take(given.content_type);
    }
  }
  if (data.size() > kMaxPayload) return std::unexpected(data_too_large(path, data.size()));
  TopicEvent event = checker.check(given, now);
  event.data = Payload(std::string(data));
  return event;
}

std::expected<std::string_view, http::Problem> checked_json(const http::Request& request) {
  if (auto checked = http::check_json(request.body); !checked) {
    return std::unexpected(http::Problem{
        .status = 400, .code = checked.error().code, .detail = "the body: " + checked.error().message});
  }
  std::string_view text = request.body;
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  text.remove_suffix(text.size() - (text.find_last_not_of(" \t\r\n") + 1));
  return text;
}

// --- the binary form
// -------------------------------------------------------------------------------------------------

// Header values are percent-encoded where they aren't visible ASCII.
std::string header_text(std::string_view value) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool encoded =
        value[i] == '%' && i + 2 < value.size() && digit(value[i + 1]) >= 0 && digit(value[i + 2]) >= 0;
    if (!encoded) {
      text += value[i];
      continue;
    }
    text += static_cast<char>(digit(value[i + 1]) * 16 + digit(value[i + 2]));
    i += 2;
  }
  return text;
}

std::expected<TopicEvent, http::Problem> read_binary(const http::Request& request, Timestamp now,
                                                     std::vector<http::FieldError>& errors) {
  Checker checker("", errors);
  Attributes given;
  const auto header = [&](const char* name) -> std::optional<std::string> {
    const auto value = request.header(name);
    return value ? std::optional(header_text(*value)) : std::nullopt;
  };
  given.specversion = header("ce-specversion").value_or("");
  given.id = header("ce-id").value_or("");
  given.source = header("ce-source").value_or("");
  given.type = header("ce-type").value_or("");
  given.subject = header("ce-subject");
  given.time = header("ce-time");
  if (const auto version = header("ce-topicversion")) {
    given.version = integer_of(*version);
    if (!given.version) checker.error("topicversion", "must be a version of the topic, from 1");
  }
  for (const auto& text : {given.id, given.source, given.subject.value_or("")}) {
    std::string quoted;
    append_json_string(quoted, text);
    if (!http::check_json(quoted)) {
      return std::unexpected(http::Problem{
          .status = 400, .code = "malformed_request", .detail = "a ce-… header is no UTF-8 text"});
    }
  }
  TopicEvent event = checker.check(given, now);
  if (request.body.empty()) return event;
  const auto data = json_body(request);
  if (!data) return std::unexpected(data.error());
  if (data->size() > kMaxPayload) return std::unexpected(data_too_large("", data->size()));
  event.data = Payload(std::string(*data));
  return event;
}

std::expected<std::vector<TopicEvent>, http::Problem> read_batch(std::string_view json, Timestamp now,
                                                                 std::vector<http::FieldError>& errors) {
  // An array is read as the only member of an object.
  const std::string wrapped = "{\"events\":" + std::string(json) + "}";
  ObjectReader reader(wrapped, "", errors);
  const auto elements = reader.array("events", Need::required, kMaxEventBatch);
  if (!elements || elements->empty()) {
    errors.assign(1, {"", "must be an array of 1 to " + std::to_string(kMaxEventBatch) + " events"});
    return std::vector<TopicEvent>();
  }
  std::vector<TopicEvent> events;
  for (std::size_t i = 0; i < elements->size(); ++i) {
    auto event = read_event((*elements)[i], "/" + std::to_string(i), now, errors);
    if (!event) return std::unexpected(event.error());
    events.push_back(*std::move(event));
  }
  return events;
}

}  // namespace

std::expected<std::vector<TopicEvent>, http::Problem> read_events(const http::Request& request,
                                                                  Timestamp now) {
  std::vector<http::FieldError> errors;
  std::vector<TopicEvent> events;
  const bool batch = has_media_type(request, {kBatch});
  const bool structured = has_media_type(request, {kStructured});
  if (request.header("ce-specversion") && !batch && !structured) {
    auto event = read_binary(request, now, errors);
    if (!event) return std::unexpected(event.error());
    events.push_back(*std::move(event));
  } else if (batch || structured || has_media_type(request, {"application/json"})) {
    const auto json = checked_json(request);
    if (!json) return std::unexpected(json.error());
    if (batch) {
      auto all = read_batch(*json, now, errors);
      if (!all) return std::unexpected(all.error());
      events = *std::move(all);
    } else {
      auto event = read_event(*json, "", now, errors);
      if (!event) return std::unexpected(event.error());
      events.push_back(*std::move(event));
    }
  } else {
    return std::unexpected(http::Problem{
        .status = 415,
        .code = "unsupported_media_type",
        .detail = "send CloudEvents: application/cloudevents+json, application/cloudevents-batch+json, or "
                  "application/json with ce-… headers"});
  }
  if (!errors.empty()) return std::unexpected(invalid(std::move(errors)));
  return events;
}

std::string event_path(const http::Request& request, std::size_t index) {
  return has_media_type(request, {kBatch}) ? "/" + std::to_string(index) : std::string();
}

TopicCheck check_topic(const Project* project, TopicEvent& event, const std::string& path,
                       std::vector<http::FieldError>& errors) {
  const TopicSchemas* versions = nullptr;
  if (project != nullptr) {
    const auto topic = project->topics.find(event.topic);
    if (topic != project->topics.end() && !topic->second.empty()) versions = &topic->second;
  }
  if (versions == nullptr) return event.version == 0 ? TopicCheck::good : TopicCheck::unknown_version;
  if (event.version == 0) event.version = versions->rbegin()->first;
  const auto schema = versions->find(event.version);
  if (schema == versions->end()) return TopicCheck::unknown_version;
  const auto violations = schema->second.validate_json(event.data.bytes());
  if (violations && violations->empty()) return TopicCheck::good;
  if (!violations) errors.push_back({path + "/data", violations.error().message});
  if (violations) {
    for (const schema::Violation& violation : *violations) {
      if (errors.size() < kMaxErrors) errors.push_back({path + "/data" + violation.path, violation.message});
    }
  }
  return TopicCheck::invalid;
}

TopicCheck check_topic(const Project* project, TopicEvent& event) {
  std::vector<http::FieldError> errors;
  return check_topic(project, event, "", errors);
}

}  // namespace ganglion::ingress

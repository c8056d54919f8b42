#include "ganglion/client.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <thread>
#include <utility>

#include "digest.h"
#include "event_stream.h"
#include "http.h"
#include "random_id.h"

namespace ganglion {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using Optional = std::optional<std::string>;

constexpr int kPageSize = 200;
// One long poll for the end of a run; a longer wait is several of them.
constexpr milliseconds kLongPoll{30'000};
// Attempts to go on without anything new in between before giving up, about 40 s.
constexpr int kMaxAttempts = 12;

milliseconds pause_after(int failures) {
  return std::min(milliseconds(5'000), milliseconds(100) * (1 << std::min(failures - 1, 6)));
}

Optional text_of(const std::optional<std::int64_t>& number) {
  return number ? Optional(std::to_string(*number)) : std::nullopt;
}

std::string run_path(std::string_view run_id, std::string_view action = "") {
  return "/v1/runs/" + percent_encoded(run_id) + std::string(action);
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::int64_t seq_of(const json::object& object) {
  return object.at("seq").to_number<std::int64_t>();
}

Run run_of(const HttpResponse& response) {
  json::object raw = response.json().as_object();
  return {text_in(raw, "id"), text_in(raw, "workflow"), text_in(raw, "status"), std::move(raw)};
}

JournalEvent journal_event_of(json::object raw) {
  return {seq_of(raw), text_in(raw, "type"), std::move(raw)};
}
Event event_of(json::object raw) {
  return {seq_of(raw), text_in(raw, "type"), std::move(raw)};
}

std::string wait_query(milliseconds wait) {
  return wait.count() > 0 ? "?wait=" + std::to_string(wait.count()) + "ms" : "";
}

HttpRequest post(std::string path, const json::value& body) {
  return {.method = "POST", .path = std::move(path), .body = json::serialize(body)};
}

HttpRequest once(HttpRequest request) {
  request.repeat = Repeat::never;
  return request;
}

}  // namespace

const json::value& Run::output() const {
  static const json::value none;
  const json::value* value = raw.if_contains("output");
  return value ? *value : none;
}

struct Client::Parts {
  Http http;

  explicit Parts(const Connection& connection) : http(connection) {}

  json::object object(const HttpRequest& request) { return http.send(request).json().as_object(); }
  Run run(const HttpRequest& request) { return run_of(http.send(request)); }
  Run act(std::string_view run_id, std::string_view verb) {
    return run({.method = "POST", .path = run_path(run_id, verb)});
  }

  // All pages of a list, or its first `limit` items.
  std::vector<json::object> items(const std::string& path, const std::string& filters,
                                  std::size_t limit = SIZE_MAX) {
    std::vector<json::object> all;
    Optional cursor;
    do {
      const std::size_t size = std::min<std::size_t>(limit - all.size(), kPageSize);
      std::string target = path + (filters.empty() ? "?" : filters + "&") + "limit=" + std::to_string(size);
      if (cursor) target += "&cursor=" + percent_encoded(*cursor);
      json::object page = object({.path = target});
      for (json::value& item : page.at("items").as_array()) all.push_back(std::move(item.as_object()));
      const std::string next = text_in(page, "next_cursor");
      cursor = next.empty() ? std::nullopt : Optional(next);
    } while (cursor && all.size() < limit);
    return all;
  }

  // The run when it has ended or the deadline is over.
  Run wait_until(std::string_view run_id, std::optional<Clock::time_point> deadline);

  // Gives each event with a higher `seq` to `take` until that says false or `at_end` says, after the stream
  // has ended, that there is no more.
  void stream(const std::string& target, std::int64_t after, const std::function<bool(json::object)>& take,
              const std::function<bool(std::int64_t last)>& at_end);
};

Run Client::Parts::wait_until(std::string_view run_id, std::optional<Clock::time_point> deadline) {
  int failures = 0;
  while (true) {
    const Clock::time_point asked = Clock::now();
    milliseconds poll = kLongPoll;
    if (deadline) {
      poll = std::clamp(std::chrono::ceil<milliseconds>(*deadline - asked), milliseconds(0), kLongPoll);
    }
    milliseconds pause{0};
    try {
      Run found = run({.path = run_path(run_id, wait_query(poll)), .timeout = kRequestTimeout + poll});
      if (found.ended() || (deadline && Clock::now() >= *deadline)) return found;
      failures = 0;
      // A server that is going down answers early; it is not asked again at once.
      if (Clock::now() - asked < poll / 2) pause = milliseconds(100);
    } catch (const Error& error) {
      const auto* problem = dynamic_cast<const Problem*>(&error);
      const bool over = ++failures >= kMaxAttempts || (deadline && Clock::now() >= *deadline);
      if (over || (problem && !problem->temporary())) throw;
      pause = pause_after(failures);
    }
    if (deadline) pause = std::min(pause, std::chrono::ceil<milliseconds>(*deadline - Clock::now()));
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
  }
}

void Client::Parts::stream(const std::string& target, std::int64_t after,
                           const std::function<bool(json::object)>& take,
                           const std::function<bool(std::int64_t last)>& at_end) {
  int failures = 0;
  while (true) {
    try {
      EventStreamParser parser;
      bool wanted = true;
      const auto on_bytes = [&](std::string_view bytes) {
        for (const std::string& data : parser.feed(bytes)) {
          json::value event = json::parse(data, {}, {.max_depth = 256});
          if (!event.is_object() || !event.as_object().contains("seq")) continue;
          const std::int64_t seq = seq_of(event.as_object());
          if (seq <= after) continue;
          after = seq;
          failures = 0;
          wanted = wanted && take(std::move(event.as_object()));
        }
        return wanted;
      };
      const HttpRequest request{
          .path = target,
          .headers = {{"Accept", "text/event-stream"}, {"Last-Event-ID", std::to_string(after)}}};
      const HttpResponse answer = http.stream(request, on_bytes);
      if (!wanted) return;
      if (answer.status != 200) {
        (void)answer.content();
        throw Unavailable("the event stream answered " + std::to_string(answer.status));
      }
      if (at_end(after)) return;
      ++failures;
    } catch (const Error& error) {
      const auto* problem = dynamic_cast<const Problem*>(&error);
      if (++failures >= kMaxAttempts || (problem && !problem->temporary())) throw;
    }
    std::this_thread::sleep_for(pause_after(failures));
  }
}

Client::Client(const Connection& connection) : parts_(std::make_unique<Parts>(connection)) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

// --- runs

Run Client::start(std::string_view workflow, const json::value& input, const StartOptions& options) {
  json::object body{{"workflow", workflow}, {"input", input}};
  if (options.session_id) body["session_id"] = *options.session_id;
  if (options.priority) body["priority"] = *options.priority;
  if (!options.labels.empty()) body["labels"] = json::value_from(options.labels);
  const milliseconds poll = std::min(options.wait, kLongPoll);
  const Clock::time_point deadline = Clock::now() + options.wait;
  HttpRequest request = post("/v1/runs" + wait_query(poll), body);
  // A key of our own makes it safe to send the request again when the connection breaks.
  request.headers = {
      {"Idempotency-Key", options.idempotency_key.empty() ? random_id() : options.idempotency_key}};
  request.timeout = kRequestTimeout + poll;
  Run run = parts_->run(request);
  return run.ended() || options.wait.count() == 0 ? run : parts_->wait_until(run.id, deadline);
}

Run Client::get(std::string_view run_id) {
  return parts_->run({.path = run_path(run_id)});
}

std::vector<Run> Client::list(const RunFilter& filter) {
  const std::string filters = query({{"workflow", filter.workflow},
                                     {"status", filter.status},
                                     {"session_id", filter.session_id},
                                     {"label", filter.label},
                                     {"parent", filter.parent}});
  std::vector<Run> runs;
  for (json::object& raw : parts_->items("/v1/runs", filters)) {
    runs.push_back({text_in(raw, "id"), text_in(raw, "workflow"), text_in(raw, "status"), std::move(raw)});
  }
  return runs;
}

Run Client::wait(std::string_view run_id, std::optional<milliseconds> timeout) {
  Run run = parts_->wait_until(run_id, timeout ? std::optional(Clock::now() + *timeout) : std::nullopt);
  if (!run.ended()) throw RunNotFinished("run " + run.id + " is still " + run.status);
  return run;
}

Run Client::cancel(std::string_view run_id) {
  return parts_->act(run_id, "/cancel");
}
Run Client::pause(std::string_view run_id) {
  return parts_->act(run_id, "/pause");
}
Run Client::resume(std::string_view run_id) {
  return parts_->act(run_id, "/resume");
}
Run Client::retry(std::string_view run_id) {
  return parts_->act(run_id, "/retry");
}

Run Client::signal(std::string_view run_id, std::string_view name, const json::value& data,
                   const std::string& idempotency_key) {
  HttpRequest request = post(run_path(run_id, "/signals/" + percent_encoded(name)), data);
  request.headers = {{"Idempotency-Key", idempotency_key.empty() ? random_id() : idempotency_key}};
  return parts_->run(request);
}

Run Client::fork(std::string_view run_id, std::string_view from_step,
                 const std::optional<json::value>& input) {
  json::object body{{"from_step", from_step}};
  if (input) body["input"] = *input;
  return parts_->run(once(post(run_path(run_id, "/fork"), body)));
}

json::object Client::tax(std::string_view run_id) {
  return parts_->object({.path = run_path(run_id, "/tax")});
}

// --- the journal

std::vector<JournalEvent> Client::journal(std::string_view run_id, std::int64_t after) {
  std::vector<JournalEvent> events;
  while (true) {
    const std::string range =
        "/journal?limit=" + std::to_string(kPageSize) + "&after=" + std::to_string(after);
    json::object page = parts_->object({.path = run_path(run_id, range)});
    json::array& items = page.at("items").as_array();
    for (json::value& item : items) events.push_back(journal_event_of(std::move(item.as_object())));
    if (items.empty() || page.at("next_cursor").is_null()) return events;
    after = events.back().seq;
  }
}

void Client::follow(std::string_view run_id, const OnEvent<JournalEvent>& on_event, std::int64_t after) {
  // The stream ends when the run has ended, but also when the server goes away, and a proxy can make the
  // second look like the first. So an end is believed only if the run's status says so, and the rest is read
  // from the journal.
  const auto at_end = [&](std::int64_t last) {
    if (!get(run_id).ended()) return false;
    for (const JournalEvent& event : journal(run_id, last)) {
      if (!on_event(event)) break;
    }
    return true;
  };
  parts_->stream(
      run_path(run_id, "/journal"), after,
      [&](json::object raw) { return on_event(journal_event_of(std::move(raw))); }, at_end);
}

// --- people

std::vector<json::object> Client::approvals(const Optional& run_id) {
  return parts_->items("/v1/approvals", query({{"run", run_id}}));
}

namespace {

HttpRequest decision_request(std::string_view approval_id, std::string_view decision,
                             const Decision& details) {
  json::object body{{"decision", decision}, {"digest", details.digest}};
  if (details.by) body["by"] = *details.by;
  if (details.comment) body["comment"] = *details.comment;
  if (details.output) body["output"] = *details.output;
  return once(post("/v1/approvals/" + percent_encoded(approval_id), body));
}

}  // namespace

json::object Client::approve(std::string_view approval_id, const Decision& decision) {
  return parts_->object(decision_request(approval_id, "approve", decision));
}
json::object Client::reject(std::string_view approval_id, const Decision& decision) {
  return parts_->object(decision_request(approval_id, "reject", decision));
}

std::vector<json::object> Client::dead_letters(const Optional& run_id, const Optional& kind) {
  return parts_->items("/v1/dead-letters", query({{"run", run_id}, {"kind", kind}}));
}
json::object Client::requeue(std::string_view dead_letter_id) {
  return parts_->object(
      once({.method = "POST", .path = "/v1/dead-letters/" + percent_encoded(dead_letter_id) + "/requeue"}));
}
void Client::delete_dead_letter(std::string_view dead_letter_id) {
  parts_->http.send(once({.method = "DELETE", .path = "/v1/dead-letters/" + percent_encoded(dead_letter_id)}))
      .content();
}
std::int64_t Client::purge_dead_letters() {
  return parts_->object(once({.method = "DELETE", .path = "/v1/dead-letters"}))
      .at("purged")
      .to_number<std::int64_t>();
}

// --- events

json::object Client::publish(const NewEvent& event) {
  json::object body{{"specversion", "1.0"},
                    {"type", event.type},
                    {"source", event.source},
                    {"id", event.id.empty() ? random_id() : event.id},
                    {"data", event.data}};
  if (event.subject) body["subject"] = *event.subject;
  if (event.version) body["topicversion"] = *event.version;
  HttpRequest request = post("/v1/events", body);
  request.headers = {{"Content-Type", "application/cloudevents+json"}};
  return std::move(parts_->object(request).at("items").as_array().at(0).as_object());
}

std::vector<Event> Client::events(const Optional& topic, std::size_t limit) {
  std::vector<Event> events;
  for (json::object& raw : parts_->items("/v1/events", query({{"topic", topic}}), limit)) {
    events.push_back(event_of(std::move(raw)));
  }
  return events;
}

void Client::tail(const Optional& topic, const OnEvent<Event>& on_event, std::optional<std::int64_t> after) {
  if (!after) {
    // "From now on" is a number, so that a connection that breaks before the first event loses none either.
    const std::vector<Event> newest = events({}, 1);
    after = newest.empty() ? 0 : newest.front().seq;
  }
  parts_->stream(
      "/v1/events" + query({{"topic", topic}}), *after,
      [&](json::object raw) { return on_event(event_of(std::move(raw))); },
      [](std::int64_t) { return false; });
}

// --- sessions

namespace {

std::string session_path(std::string_view session_id) {
  return "/v1/sessions/" + percent_encoded(session_id);
}
std::string key_path(std::string_view session_id, std::string_view key) {
  return session_path(session_id) + "/state/" + percent_encoded(key);
}
std::string quoted(std::int64_t version) {
  return '"' + std::to_string(version) + '"';
}

}  // namespace

json::object Client::session(std::string_view session_id) {
  return parts_->object({.path = session_path(session_id)});
}

std::optional<StateValue> Client::get_state(std::string_view session_id, std::string_view key) {
  const HttpResponse answer = parts_->http.send({.path = key_path(session_id, key)});
  if (answer.status == 404) return std::nullopt;
  json::value value = answer.json();
  std::string version = answer.headers.at("etag");
  std::erase(version, '"');
  return StateValue{std::move(value), std::stoll(version)};
}

std::int64_t Client::put_state(std::string_view session_id, std::string_view key, const json::value& value,
                               const PutOptions& options) {
  const Optional ttl = options.ttl ? Optional(std::to_string(options.ttl->count()) + "ms") : std::nullopt;
  HttpRequest request{.method = "PUT",
                      .path = key_path(session_id, key) + query({{"ttl", ttl}}),
                      .body = json::serialize(value)};
  if (options.if_version) request.headers.emplace_back("If-Match", quoted(*options.if_version));
  if (options.if_absent) request.headers.emplace_back("If-None-Match", "*");
  if (!request.headers.empty()) request.repeat = Repeat::never;
  return parts_->object(request).at("version").to_number<std::int64_t>();
}

void Client::delete_state(std::string_view session_id, std::string_view key,
                          std::optional<std::int64_t> if_version) {
  HttpRequest request = once({.method = "DELETE", .path = key_path(session_id, key)});
  if (if_version) request.headers.emplace_back("If-Match", quoted(*if_version));
  parts_->http.send(request).content();
}

json::object Client::snapshot(std::string_view session_id, std::optional<std::int64_t> version) {
  return parts_->object(
      {.path = session_path(session_id) + "/state" + query({{"version", text_of(version)}})});
}

// --- blobs

json::object Client::put_blob(std::string_view content) {
  const std::string digest = sha256_hex(content);
  parts_->http
      .send({.method = "PUT",
             .path = "/v1/blobs/" + digest,
             .body = std::string(content),
             .headers = {{"Content-Type", "application/octet-stream"}}})
      .content();
  return {{"$ref", "sha256:" + digest}};
}

std::string Client::get_blob(const json::value& reference) {
  std::string digest = reference.is_object() ? text_in(reference.as_object(), "$ref") : "";
  if (!digest.starts_with("sha256:")) throw std::invalid_argument("not a reference to a blob");
  digest.erase(0, 7);
  return parts_->http
      .send({.path = "/v1/blobs/" + percent_encoded(digest),
             .headers = {{"Accept", "application/octet-stream"}}})
      .content();
}

// --- the project

std::string Client::project() {
  return parts_->http.send({.path = "/v1/project", .headers = {{"Accept", "text/yaml"}}}).content();
}

namespace {

HttpRequest project_request(std::string_view source, std::string_view query) {
  return {.method = "PUT",
          .path = "/v1/project" + std::string(query),
          .body = std::string(source),
          .headers = {{"Content-Type", "text/yaml"}}};
}

}  // namespace

json::object Client::put_project(std::string_view source) {
  return parts_->object(project_request(source, ""));
}
json::object Client::check_project(std::string_view source) {
  return parts_->object(project_request(source, "?dry_run=true"));
}

}  // namespace ganglion

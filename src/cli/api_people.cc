// The part of the API that people work with while runs go on: signals, forks, approvals, dead letters,
// events.

#include <utility>

#include "base/json_text.h"
#include "cli/api.h"

namespace ganglion::cli {

Outcome<Document> Api::fork(std::string_view id, std::string_view step,
                            const std::optional<std::string>& input) {
  JsonObject body;
  body.add("from_step", step);
  if (input) body.add_raw("input", *input);
  return document(exchange(post_json("/v1/runs/" + percent_encoded(id) + "/fork", body.finish())));
}

Outcome<Document> Api::signal(std::string_view id, std::string_view name, std::string data) {
  HttpRequest post =
      post_json("/v1/runs/" + percent_encoded(id) + "/signals/" + percent_encoded(name), std::move(data));
  post.headers.emplace_back("Idempotency-Key", fresh_key());
  return repeatable(post);
}

Outcome<Document> Api::tax(std::string_view id) {
  return document(request("GET", "/v1/runs/" + percent_encoded(id) + "/tax"));
}

Outcome<std::vector<Document>> Api::approvals(const std::optional<std::string>& run, std::size_t limit) {
  std::string query;
  add_filter(query, "run", run);
  return list("/v1/approvals", query, limit);
}

Outcome<Document> Api::decide(std::string_view approval, const Verdict& verdict) {
  JsonObject body;
  body.add("decision", verdict.decision).add("digest", verdict.digest);
  if (verdict.by) body.add("by", *verdict.by);
  if (verdict.comment) body.add("comment", *verdict.comment);
  if (verdict.output) body.add_raw("output", *verdict.output);
  return document(exchange(post_json("/v1/approvals/" + percent_encoded(approval), body.finish())));
}

Outcome<std::vector<Document>> Api::dead_letters(const DeadLetterFilter& filter) {
  std::string query;
  add_filter(query, "run", filter.run);
  add_filter(query, "kind", filter.kind);
  return list("/v1/dead-letters", query, filter.limit);
}

Outcome<Document> Api::requeue(std::string_view dead_letter) {
  return document(request("POST", "/v1/dead-letters/" + percent_encoded(dead_letter) + "/requeue"));
}

Outcome<void> Api::drop_dead_letter(std::string_view dead_letter) {
  const auto answer = exchange(request("DELETE", "/v1/dead-letters/" + percent_encoded(dead_letter)));
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Outcome<Document> Api::drop_dead_letters() {
  return document(request("DELETE", "/v1/dead-letters"));
}

Outcome<std::vector<Document>> Api::events(const std::optional<std::string>& topic, std::size_t limit) {
  std::string query;
  add_filter(query, "topic", topic);
  return list("/v1/events", query, limit);
}

Outcome<Document> Api::publish(std::string event) {
  HttpRequest post = request("POST", "/v1/events");
  post.headers.emplace_back("Content-Type", "application/cloudevents+json");
  post.body = std::move(event);
  return repeatable(post);
}

Result<void> Api::follow_events(const std::optional<std::string>& topic, std::uint64_t last_seq,
                                const StreamWatcher& watcher) {
  std::string query = "?after=" + std::to_string(last_seq);
  add_filter(query, "topic", topic);
  HttpRequest get = request("GET", "/v1/events" + query);
  return stream(std::move(get), watcher);
}

}  // namespace ganglion::cli

#include "cli/api.h"

#include <array>
#include <boost/json.hpp>
#include <random>
#include <utility>

#include "base/json_text.h"
#include "cli/journal_text.h"
#include "cli/json_list.h"

namespace ganglion::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kPage = 200;  // the API's most
constexpr std::size_t kMaxListed = 10'000;
constexpr int kAttempts = 3;
constexpr std::size_t kMaxDepth = 128;

json::value parsed(std::string_view text, json::error_code& error) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  return json::parse(text, error, {}, options);
}

std::string string_at(const json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* member = object ? object->if_contains(name) : nullptr;
  const auto* text = member ? member->if_string() : nullptr;
  return text ? std::string(*text) : "";
}

ExitCode exit_of(long status) {
  return status >= 500 || status == 429 ? ExitCode::unreachable : ExitCode::usage;
}

std::string hint_for(long status) {
  if (status == 401) return "; set GANGLION_TOKEN to the server's token";
  if (status == 429 || status == 503) return "; try again later";
  return "";
}

Failure failure_of(const Error& error, const std::string& server) {
  return {ExitCode::unreachable, "no answer from " + server + ": " + error.message};
}

template <typename Pairs>
void add_labels(std::string& query, const Pairs& labels) {
  for (const auto& [name, value] : labels) query += "&label=" + percent_encoded(name + "=" + value);
}

// The elements of a page: `{items: […]}`, or the list itself. Nothing where it is neither.
std::optional<std::vector<std::string_view>> items_of(const Document& page) {
  if (page.value.is_array()) return elements_of(page.text);
  const auto* object = page.value.if_object();
  const auto* items = object ? object->if_contains("items") : nullptr;
  if (items == nullptr || !items->is_array()) return std::nullopt;
  return elements_of(page.raw("items"));
}

// A part of a text that was parsed before.
Document document_of(std::string_view text) {
  json::error_code error;
  return {std::string(text), parsed(text, error)};
}

std::unexpected<Failure> not_ours(const std::string& server, std::string_view what) {
  return give_up(ExitCode::unreachable,
                 server + " is not a Ganglion server: its answer is not " + std::string(what));
}

}  // namespace

void add_filter(std::string& query, std::string_view name, const std::optional<std::string>& value) {
  if (value) query += "&" + std::string(name) + "=" + percent_encoded(*value);
}

std::string fresh_key() {
  std::random_device device;
  std::string key = "cli-";
  for (int i = 0; i < 4; ++i) {
    std::array<char, 9> hex{};
    std::snprintf(hex.data(), hex.size(), "%08x", device());
    key += hex.data();
  }
  return key;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").contains(c);
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

Failure failure_of(long status, std::string_view body) {
  json::error_code error;
  const json::value problem = parsed(body, error);
  std::string text = error ? "" : string_at(problem, "detail");
  if (text.empty() && !error) text = string_at(problem, "title");
  if (text.empty()) text = "the server answers " + std::to_string(status);
  while (text.ends_with('.')) text.pop_back();
  text += hint_for(status);
  const auto* object = problem.if_object();
  const auto* errors = object ? object->if_contains("errors") : nullptr;
  const auto* list = errors ? errors->if_array() : nullptr;
  // A problem with one error mostly says the same in its detail.
  const bool said =
      list != nullptr && list->size() == 1 && text.contains(string_at(list->front(), "message"));
  if (list != nullptr && !said) {
    for (const json::value& violation : *list) {
      const std::string path = string_at(violation, "path");
      text += "\n  " + (path.empty() ? "" : path + ": ") + string_at(violation, "message");
    }
  }
  return {exit_of(status), std::move(text)};
}

std::string_view Document::raw(std::string_view name) const {
  JsonMembers members(text);
  while (const auto member = members.next()) {
    if (member->name == name) return member->value;
  }
  return "null";
}

std::string Document::text_of(std::string_view member) const {
  return string_at(value, member);
}

std::vector<std::string_view> texts_of(const std::vector<Document>& documents) {
  std::vector<std::string_view> texts;
  for (const Document& document : documents) texts.push_back(document.text);
  return texts;
}

Api::Api(std::string server, std::optional<std::string> token)
    : server_(std::move(server)), token_(std::move(token)) {
  while (server_.ends_with('/')) server_.pop_back();
  if (!server_.contains("://")) server_ = "http://" + server_;
}

HttpRequest Api::request(std::string method, std::string path) const {
  HttpRequest request{.method = std::move(method), .url = server_ + path, .headers = {}, .body = {}};
  request.headers.emplace_back("Accept", "application/json");
  if (token_) request.headers.emplace_back("Authorization", "Bearer " + *token_);
  return request;
}

Outcome<HttpAnswer> Api::accepted(Result<HttpAnswer> answer) const {
  if (!answer) return std::unexpected(failure_of(answer.error(), server_));
  if (answer->status < 200 || answer->status > 299)
    return std::unexpected(cli::failure_of(answer->status, answer->body));
  return *std::move(answer);
}

Outcome<HttpAnswer> Api::exchange(const HttpRequest& request) {
  return accepted(http_.send(request));
}

Outcome<Document> Api::document(Outcome<HttpAnswer> answer) const {
  if (!answer) return std::unexpected(answer.error());
  json::error_code error;
  json::value value = parsed(answer->body, error);
  if (error) return not_ours(server_, "JSON");
  return Document{std::move(answer->body), std::move(value)};
}

Outcome<Document> Api::document(const HttpRequest& request) {
  return document(exchange(request));
}

HttpRequest Api::post_json(std::string path, std::string body) const {
  HttpRequest post = request("POST", std::move(path));
  post.headers.emplace_back("Content-Type", "application/json");
  post.body = std::move(body);
  return post;
}

Outcome<Document> Api::repeatable(const HttpRequest& request) {
  auto answer = http_.send(request);
  for (int attempt = 1; attempt < kAttempts && !answer && answer.error().code == "connection_lost";
       ++attempt) {
    answer = http_.send(request);
  }
  return document(accepted(std::move(answer)));
}

Outcome<std::vector<Document>> Api::list(std::string_view path, const std::string& query, std::size_t limit) {
  std::vector<Document> found;
  std::string cursor;
  while (found.size() < limit) {
    std::string page_path =
        std::string(path) + "?limit=" + std::to_string(std::min(kPage, limit - found.size())) + query;
    if (!cursor.empty()) page_path += "&cursor=" + percent_encoded(cursor);
    const auto page = document(request("GET", page_path));
    if (!page) return std::unexpected(page.error());
    const auto items = items_of(*page);
    if (!items) return not_ours(server_, "a list");
    for (const std::string_view item : *items) found.push_back(document_of(item));
    cursor = page->text_of("next_cursor");
    if (cursor.empty() || items->empty()) break;
  }
  return found;
}

Outcome<Document> Api::submit(const Submission& submission) {
  JsonObject body;
  body.add("workflow", submission.workflow).add_raw("input", submission.input);
  if (submission.session) body.add("session_id", *submission.session);
  if (!submission.labels.empty()) {
    JsonObject labels;
    for (const auto& [name, value] : submission.labels) labels.add(name, value);
    body.add_raw("labels", labels.finish());
  }
  HttpRequest post = post_json("/v1/runs", body.finish());
  post.headers.emplace_back("Idempotency-Key", fresh_key());
  return repeatable(post);
}

Outcome<Document> Api::run(std::string_view id) {
  return document(request("GET", "/v1/runs/" + percent_encoded(id)));
}

Outcome<Document> Api::tell(std::string_view id, std::string_view verb) {
  return document(request("POST", "/v1/runs/" + percent_encoded(id) + "/" + std::string(verb)));
}

Outcome<std::vector<Document>> Api::runs(const RunFilter& filter) {
  std::string query;
  add_filter(query, "workflow", filter.workflow);
  add_filter(query, "status", filter.status);
  add_filter(query, "session_id", filter.session);
  add_filter(query, "parent", filter.parent);
  add_labels(query, filter.labels);
  return list("/v1/runs", query, filter.limit);
}

Outcome<std::vector<JournalEntry>> Api::journal(std::string_view id, std::uint64_t after) {
  std::vector<JournalEntry> entries;
  while (true) {
    const std::uint64_t last = entries.empty() ? after : entries.back().seq;
    const auto page = document(request("GET", "/v1/runs/" + percent_encoded(id) + "/journal?limit=" +
                                                  std::to_string(kPage) + "&after=" + std::to_string(last)));
    if (!page) return std::unexpected(page.error());
    const auto items = items_of(*page);
    if (!items) return not_ours(server_, "a list");
    for (const std::string_view item : *items) {
      auto entry = read_entry(item);
      if (!entry) return not_ours(server_, "a journal");
      if (entry->seq <= last) return not_ours(server_, "in order");
      entries.push_back(*std::move(entry));
    }
    const bool more = items->size() == kPage || !page->text_of("next_cursor").empty();
    if (items->empty() || !more) return entries;
  }
}

Outcome<std::vector<std::string>> Api::workflows() {
  const auto listed = list("/v1/workflows", "", kMaxListed);
  if (!listed) return std::unexpected(listed.error());
  std::vector<std::string> names;
  for (const Document& workflow : *listed) names.push_back(workflow.text_of("name"));
  return names;
}

Outcome<std::string> Api::project(std::optional<std::string> digest) {
  HttpRequest get = request("GET", "/v1/project" + (digest ? "?digest=" + percent_encoded(*digest) : ""));
  get.headers.front().second = "text/yaml";
  auto answer = exchange(get);
  if (!answer) return std::unexpected(answer.error());
  return std::move(answer->body);
}

Outcome<void> Api::put_project(std::string source) {
  HttpRequest put = request("PUT", "/v1/project");
  put.headers.emplace_back("Content-Type", "text/yaml");
  put.body = std::move(source);
  if (auto answer = exchange(put); !answer) return std::unexpected(answer.error());
  return {};
}

Outcome<Document> Api::try_project(std::string source) {
  HttpRequest put = request("PUT", "/v1/project?dry_run=true");
  put.headers.emplace_back("Content-Type", "text/yaml");
  put.body = std::move(source);
  return document(put);
}

Outcome<std::vector<Document>> Api::agents() {
  return list("/v1/agents", "", kMaxListed);
}

Outcome<Document> Api::agent(std::string_view name) {
  return document(request("GET", "/v1/agents/" + percent_encoded(name)));
}

Result<void> Api::follow(std::string_view id, std::uint64_t last_seq, const StreamWatcher& watcher) {
  HttpRequest get = request("GET", "/v1/runs/" + percent_encoded(id) + "/journal");
  if (last_seq > 0) get.headers.emplace_back("Last-Event-ID", std::to_string(last_seq));
  return stream(std::move(get), watcher);
}

Result<void> Api::stream(HttpRequest request, const StreamWatcher& watcher) {
  request.headers.front().second = "text/event-stream";
  const auto answer = http_.stream(request, watcher);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status == 200) return {};
  const Failure failure = cli::failure_of(answer->status, answer->body);
  return fail(failure.exit == ExitCode::unreachable ? "unavailable" : "refused", failure.text);
}

}  // namespace ganglion::cli

#pragma once

// The HTTP API as the commands use it: paths, the bearer token, and problems turned into sentences and exit
// codes. What a server answers is checked to be JSON before anybody reads it.

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"
#include "cli/http_client.h"
#include "core/journal.h"

namespace ganglion::cli {

struct Submission {
  std::string workflow;
  std::string input = "{}";  // JSON
  std::optional<std::string> session;
  std::map<std::string, std::string> labels;
};

struct RunFilter {
  std::optional<std::string> workflow, status, session, parent;
  std::map<std::string, std::string> labels;
  std::size_t limit = 50;
};

struct DeadLetterFilter {
  std::optional<std::string> run, kind;
  std::size_t limit = 50;
};

// What somebody says to an approval; `digest` names what was shown.
struct Verdict {
  std::string decision;  // approve, reject
  std::string digest;
  std::optional<std::string> by, comment;
  std::optional<std::string> output;  // JSON
};

// A JSON text, and the same parsed.
struct Document {
  std::string text;
  boost::json::value value;

  // The bytes of a member of the object that this is, as they came; `null` where it has none.
  std::string_view raw(std::string_view member) const;
  // A member that is a string; else empty.
  std::string text_of(std::string_view member) const;
};

// The texts of documents, which must outlive them.
std::vector<std::string_view> texts_of(const std::vector<Document>& documents);

class Api {
 public:
  // `server` is `http://host:port`.
  Api(std::string server, std::optional<std::string> token);

  const std::string& server() const { return server_; }
  // The same server over a connection of its own, for questions while this one has a stream.
  std::unique_ptr<Api> another() const { return std::make_unique<Api>(server_, token_); }

  // Safe to repeat after a lost connection: every submission carries an idempotency key of its own.
  Outcome<Document> submit(const Submission& submission);
  Outcome<Document> run(std::string_view id);
  // One document per run, newest first, at most `filter.limit`.
  Outcome<std::vector<Document>> runs(const RunFilter& filter);
  // The run after the verb: cancel, pause, resume, retry.
  Outcome<Document> tell(std::string_view id, std::string_view verb);
  // Everything after `after`.
  Outcome<std::vector<JournalEntry>> journal(std::string_view id, std::uint64_t after);
  Outcome<std::vector<std::string>> workflows();
  // A project file: the active one, or the one with this digest.
  Outcome<std::string> project(std::optional<std::string> digest);
  Outcome<void> put_project(std::string source);
  // What putting it would mean for the runs that are open; nothing changes.
  Outcome<Document> try_project(std::string source);
  Outcome<std::vector<Document>> agents();
  Outcome<Document> agent(std::string_view name);

  // The new run, which shares the journal of this one up to where the step began.
  Outcome<Document> fork(std::string_view id, std::string_view step, const std::optional<std::string>& input);
  // Safe to repeat after a lost connection, as a submission is. The run after it.
  Outcome<Document> signal(std::string_view id, std::string_view name, std::string data);
  Outcome<Document> tax(std::string_view id);

  // Oldest first.
  Outcome<std::vector<Document>> approvals(const std::optional<std::string>& run, std::size_t limit);
  Outcome<Document> decide(std::string_view approval, const Verdict& verdict);
  Outcome<std::vector<Document>> dead_letters(const DeadLetterFilter& filter);
  Outcome<Document> requeue(std::string_view dead_letter);
  Outcome<void> drop_dead_letter(std::string_view dead_letter);
  // All of them: `{purged}`.
  Outcome<Document> drop_dead_letters();

  // Newest first.
  Outcome<std::vector<Document>> events(const std::optional<std::string>& topic, std::size_t limit);
  // A CloudEvent as JSON, which has its own id and is therefore safe to repeat. `{items: [{source, id, seq,
  // duplicate, dead_lettered}]}`.
  Outcome<Document> publish(std::string event);
  // The event log as a stream of bytes, from after `last_seq`; else as `follow`.
  Result<void> follow_events(const std::optional<std::string>& topic, std::uint64_t last_seq,
                             const StreamWatcher& watcher);

  // The journal as a stream of bytes (text/event-stream) from after `last_seq`. Error code `refused` with the
  // problem's sentence where the server won't; else those of HttpClient::stream.
  Result<void> follow(std::string_view id, std::uint64_t last_seq, const StreamWatcher& watcher);

 private:
  HttpRequest request(std::string method, std::string path) const;
  Outcome<HttpAnswer> exchange(const HttpRequest& request);
  Outcome<HttpAnswer> accepted(Result<HttpAnswer> answer) const;
  Outcome<Document> document(const HttpRequest& request);
  Outcome<Document> document(Outcome<HttpAnswer> answer) const;
  HttpRequest post_json(std::string path, std::string body) const;
  // Sent again after a lost connection: for what the server recognises by a key.
  Outcome<Document> repeatable(const HttpRequest& request);
  // Page after page; `query` is empty or begins with `&`.
  Outcome<std::vector<Document>> list(std::string_view path, const std::string& query, std::size_t limit);
  Result<void> stream(HttpRequest request, const StreamWatcher& watcher);

  std::string server_;
  std::optional<std::string> token_;
  HttpClient http_;
};

// A run id, name or value as one piece of a path or query (RFC 3986).
std::string percent_encoded(std::string_view text);
// `&name=value` to the query, if there is one.
void add_filter(std::string& query, std::string_view name, const std::optional<std::string>& value);

// 128 random bits as text: an idempotency key or an event id that nobody else has.
std::string fresh_key();

// What a problem+json answer says, in sentences: the detail, and each of its `errors` on a line of its own.
Failure failure_of(long status, std::string_view body);

}  // namespace ganglion::cli

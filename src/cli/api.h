#pragma once

// The HTTP API as the commands use it: paths, the bearer token, and problems turned into sentences and exit
// codes. What a server answers is checked to be JSON before anybody reads it.

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <map>
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
  std::optional<std::string> workflow, status, session;
  std::map<std::string, std::string> labels;
  std::size_t limit = 50;
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

class Api {
 public:
  // `server` is `http://host:port`.
  Api(std::string server, std::optional<std::string> token);

  const std::string& server() const { return server_; }

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

  // The journal as a stream of bytes (text/event-stream) from after `last_seq`. Error code `refused` with the
  // problem's sentence where the server won't; else those of HttpClient::stream.
  Result<void> follow(std::string_view id, std::uint64_t last_seq, const StreamWatcher& watcher);

 private:
  HttpRequest request(std::string method, std::string path) const;
  Outcome<HttpAnswer> exchange(const HttpRequest& request);
  Outcome<HttpAnswer> accepted(Result<HttpAnswer> answer) const;
  Outcome<Document> document(const HttpRequest& request);
  Outcome<Document> document(Outcome<HttpAnswer> answer) const;

  std::string server_;
  std::optional<std::string> token_;
  HttpClient http_;
};

// A run id, name or value as one piece of a path or query (RFC 3986).
std::string percent_encoded(std::string_view text);

// What a problem+json answer says, in sentences: the detail, and each of its `errors` on a line of its own.
Failure failure_of(long status, std::string_view body);

}  // namespace ganglion::cli

#include "adapters/redis/greeting.h"

#include <utility>

#include "adapters/redis/library.h"
#include "adapters/redis/msgpack.h"
#include "adapters/redis/refusal.h"

namespace ganglion::redis {
namespace {

std::string credentials(const Url& url) {
  if (url.user) return command({"AUTH", *url.user, *url.password});
  return command({"AUTH", *url.password});
}

}  // namespace

Greeting::Greeting(Connection& connection, const Url& url, const std::string& writer,
                   std::int64_t acknowledged, Done done)
    : connection_(connection),
      url_(url),
      writer_(writer),
      acknowledged_(acknowledged),
      done_(std::move(done)) {
  const auto must_succeed = [this](const Reply& reply) {
    if (reply.is_error()) fail(GreetingFailure::Kind::hopeless, reply.text);
  };
  if (url.password) connection_.send(credentials(url), must_succeed);
  if (url.database != 0) connection_.send(command({"SELECT", std::to_string(url.database)}), must_succeed);
  connection_.send(command({"ROLE"}), [this](const Reply& reply) { understand_role(reply); });
  connection_.send(command({"CONFIG", "GET", "appendonly", "appendfsync", "no-appendfsync-on-rewrite",
                            "maxmemory-policy", "save"}),
                   [this](const Reply& reply) { understand_settings(reply); });
  // For whoever looks at CLIENT LIST.
  connection_.send(command({"CLIENT", "SETNAME", "ganglion"}), [](const Reply&) {});
  greet();
}

void Greeting::greet() {
  connection_.send(command({"FCALL", library().greet, "1", url_.base_key(), writer_,
                            std::to_string(acknowledged_), kFormat}),
                   [this](const Reply& reply) { understand_greeting(reply); });
}

void Greeting::load() {
  loaded_ = true;
  connection_.send(command({"FUNCTION", "LOAD", "REPLACE", library().source}), [this](const Reply& reply) {
    if (!reply.is_error()) return;
    const bool passing = refusal_of(reply).kind == Refusal::Kind::again;
    fail(passing ? GreetingFailure::Kind::again : GreetingFailure::Kind::hopeless,
         "the functions can't be loaded (Redis 7.0 or newer is needed): " + reply.text);
  });
  greet();
}

// [role, offset, replicas] of a master. Who may not ask finds out when a replica refuses the greeting.
void Greeting::understand_role(const Reply& reply) {
  if (reply.is_error() && !reply.is_error("NOPERM")) return fail(GreetingFailure::Kind::again, reply.text);
  if (reply.elements.empty()) return;
  if (reply.elements[0].text != "master")
    return fail(GreetingFailure::Kind::again, "the server is no master but a " + reply.elements[0].text);
  greeted_.settings.replicated = reply.elements.size() > 2 && !reply.elements[2].elements.empty();
}

// [name, value, …]
void Greeting::understand_settings(const Reply& reply) {
  greeted_.settings.known = !reply.elements.empty();
  for (std::size_t i = 0; i + 1 < reply.elements.size(); i += 2) {
    const std::string& name = reply.elements[i].text;
    const std::string& value = reply.elements[i + 1].text;
    if (name == "appendonly") greeted_.settings.appendonly = value;
    if (name == "appendfsync") greeted_.settings.appendfsync = value;
    if (name == "no-appendfsync-on-rewrite") greeted_.settings.no_appendfsync_on_rewrite = value;
    if (name == "maxmemory-policy") greeted_.settings.maxmemory_policy = value;
    if (name == "save") greeted_.settings.save = value;
  }
}

void Greeting::understand_greeting(const Reply& reply) {
  if (!done_) return;
  if (is_missing_function(reply) && !loaded_) return load();
  if (reply.is_error()) {
    const bool passing = refusal_of(reply).kind != Refusal::Kind::unknown;
    if (passing) return fail(GreetingFailure::Kind::again, reply.text);
    return fail(GreetingFailure::Kind::hopeless,
                "Redis doesn't take functions (7.0 or newer is needed): " + reply.text);
  }
  Unpacker answer(reply.text);
  answer.array();
  const std::string_view word = answer.text();
  if (word == "done") {
    greeted_.epoch = answer.integer();
    for (std::size_t left = answer.array(); left > 0 && answer.intact(); --left) {
      answer.array();
      const std::int64_t number = answer.integer();
      greeted_.answers.emplace(number, answer.text());
    }
    if (answer.intact()) return finish(std::move(greeted_));
  }
  if (word == "format") {
    return fail(GreetingFailure::Kind::incompatible,
                "the data under \"" + url_.prefix + "\" has format " + std::string(answer.text()) +
                    ", this version reads format " + std::string(kFormat) +
                    "; use another prefix or another version");
  }
  if (word == "regressed") return fail(GreetingFailure::Kind::regressed, kRegressed);
  fail(GreetingFailure::Kind::again, "the functions answer what is no answer");
}

void Greeting::fail(GreetingFailure::Kind kind, std::string reason) {
  finish(std::unexpected(GreetingFailure{kind, std::move(reason)}));
}

void Greeting::finish(std::expected<Greeted, GreetingFailure> result) {
  if (Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace ganglion::redis

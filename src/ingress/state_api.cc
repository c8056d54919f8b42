#include "ingress/state_api.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "base/json_text.h"
#include "coordinator/sessions.h"
#include "core/blob_references.h"
#include "core/topic.h"
#include "core/workflow.h"
#include "ingress/blob_check.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ingress/query.h"
#include "ingress/run_request.h"
#include "ports/clock.h"

namespace ganglion::ingress {
namespace {

constexpr Duration kLongestTtl = std::chrono::hours(24 * 3650);
constexpr std::string_view kScratch = "scratch.";

std::optional<http::Problem> check_session(const std::string& session) {
  if (session.size() <= kMaxSessionId && !has_control_character(session)) return std::nullopt;
  return invalid_parameter("id", "must be 1 to 255 bytes without control characters");
}

// The session and the key of the path.
std::optional<http::Problem> check_place(const http::Request& request) {
  if (auto problem = check_session(request.parameters[0])) return problem;
  const std::string& key = request.parameters[1];
  if (key.size() <= kMaxStateKey && is_topic(key)) return std::nullopt;
  return invalid_parameter("key",
                           "must be words of letters, digits, '_' and '-' joined by '.', at most 255 bytes");
}

std::string etag(std::uint64_t version) {
  return "\"" + std::to_string(version) + "\"";
}

// `If-Match` and `If-None-Match`.
std::expected<StatePrecondition, http::Problem> precondition_of(const http::Request& request) {
  const auto match = request.header("if-match");
  const auto none = request.header("if-none-match");
  if (match && none) {
    return std::unexpected(invalid_parameter("If-Match", "and If-None-Match exclude each other"));
  }
  if (none && *none != "*") return std::unexpected(invalid_parameter("If-None-Match", "must be *"));
  if (none) return KeyAbsent{};
  if (!match) return AnyVersion{};
  const bool quoted = match->size() > 2 && match->starts_with('"') && match->ends_with('"');
  const auto version = sequence_of(quoted ? match->substr(1, match->size() - 2) : "", "If-Match");
  if (!version) {
    return std::unexpected(invalid_parameter("If-Match", "must be one ETag of this key, such as \"7\""));
  }
  return KeyVersion{*version};
}

http::Problem precondition_failed(const std::optional<std::uint64_t>& version) {
  http::Problem problem{.status = 412, .code = "precondition_failed", .detail = {}};
  if (version) {
    problem.detail = "the key was last written at version " + std::to_string(*version);
    problem.headers.emplace_back("ETag", etag(*version));
  } else {
    problem.detail = "the key isn't there";
  }
  return problem;
}

bool is_expired(const StateEntry& entry, Timestamp now) {
  return entry.expires_at && *entry.expires_at <= now;
}

// The key at the latest version, unless its time has come.
const StateEntry* live_entry(const StateSnapshot& snapshot, const std::string& key, Timestamp now) {
  const auto found = snapshot.entries.find(key);
  return found == snapshot.entries.end() || is_expired(found->second, now) ? nullptr : &found->second;
}

std::string snapshot_json(const std::string& session, const StateSnapshot& snapshot,
                          std::optional<Timestamp> now) {
  JsonObject entries;
  for (const auto& [key, entry] : snapshot.entries) {
    if (now && is_expired(entry, *now)) continue;
    JsonObject object;
    object.add_raw("value", entry.value.bytes()).add("version", static_cast<std::int64_t>(entry.version));
    if (entry.expires_at) {
      object.add("expires_at", format_rfc3339(*entry.expires_at));
    } else {
      object.add_raw("expires_at", "null");
    }
    entries.add_raw(key, object.finish());
  }
  JsonObject object;
  object.add("session_id", session).add("version", static_cast<std::int64_t>(snapshot.version));
  object.add_raw("entries", entries.finish());
  return object.finish();
}

// One conditional write on its way: looked at, made, perhaps made again over what has expired.
struct Writing {
  Dependencies dependencies;
  std::string session;
  StateWrite write;
  StatePrecondition precondition;
  http::Responder responder;

  // Until the sweep comes, the store still has keys whose time is over: to a client they aren't there.
  static void begin(std::unique_ptr<Writing> self) {
    Sessions& sessions = self->dependencies.sessions;
    const std::string session = self->session;
    sessions.load(session, [self = std::move(self)](Result<Sessions::Snapshot> snapshot) mutable {
      if (!snapshot) return self->responder.fail(problem_of(snapshot.error()));
      const Timestamp now = self->dependencies.clock.now();
      const bool there = live_entry(**snapshot, self->write.key, now) != nullptr;
      if (!there && std::holds_alternative<KeyVersion>(self->precondition)) {
        return self->responder.fail(precondition_failed(std::nullopt));
      }
      if (!there && !self->write.value) {
        return self->responder.fail(not_found("the session has no key " + self->write.key));
      }
      make(std::move(self));
    });
  }

  static void make(std::unique_ptr<Writing> self) {
    Sessions& sessions = self->dependencies.sessions;
    const std::string session = self->session;
    const StateWrite write = self->write;
    const StatePrecondition precondition = self->precondition;
    sessions.write(session, write, precondition, [self = std::move(self)](StateOutcome outcome) mutable {
      if (outcome) return self->done(*outcome);
      if (const auto* error = std::get_if<Error>(&outcome.error())) {
        return self->responder.fail(problem_of(*error));
      }
      const auto& current = std::get<StateConflict>(outcome.error()).current;
      const bool expired = current && is_expired(*current, self->dependencies.clock.now());
      if (expired && std::holds_alternative<KeyAbsent>(self->precondition)) {
        self->precondition = KeyVersion{current->version};
        return make(std::move(self));
      }
      self->responder.fail(
          precondition_failed(current && !expired ? std::optional(current->version) : std::nullopt));
    });
  }

  void done(std::uint64_t version) {
    if (!write.value) return responder.respond({204, {}, {}, {}});
    JsonObject object;
    object.add("key", write.key).add("version", static_cast<std::int64_t>(version));
    http::Response response = http::Response::json(200, object.finish());
    response.headers.emplace_back("ETag", etag(version));
    responder.respond(std::move(response));
  }
};

}  // namespace

void StateApi::register_routes(http::Router& router) {
  const auto add = [&](http::Method method, const char* path,
                       void (StateApi::*handle)(const http::Request&, http::Responder)) {
    router.add(method, path, [this, handle](const http::Request& request, http::Responder responder) {
      (this->*handle)(request, std::move(responder));
    });
  };
  add(http::Method::get, "/v1/sessions/{id}/state", &StateApi::snapshot);
  add(http::Method::get, "/v1/sessions/{id}/state/{key}", &StateApi::get);
  add(http::Method::put, "/v1/sessions/{id}/state/{key}", &StateApi::put);
  add(http::Method::delete_, "/v1/sessions/{id}/state/{key}", &StateApi::remove);
}

void StateApi::snapshot(const http::Request& request, http::Responder responder) {
  const std::string& session = request.parameters[0];
  if (const auto problem = check_session(session)) return responder.fail(*problem);
  const http::Target target = query_of(request.target());
  const auto asked = target.parameter("version");
  if (!asked) {
    auto loaded = [this, session,
                   responder = std::move(responder)](Result<Sessions::Snapshot> snapshot) mutable {
      if (!snapshot) return responder.fail(problem_of(snapshot.error()));
      responder.respond(
          http::Response::json(200, snapshot_json(session, **snapshot, dependencies_.clock.now())));
    };
    return dependencies_.sessions.load(session, std::move(loaded));
  }
  const auto version = sequence_of(*asked, "version");
  if (!version) return responder.fail(version.error());
  auto read = [session, responder = std::move(responder)](Result<StateSnapshot> snapshot) mutable {
    if (!snapshot) return responder.fail(problem_of(snapshot.error()));
    responder.respond(http::Response::json(200, snapshot_json(session, *snapshot, std::nullopt)));
  };
  dependencies_.sessions.read(session, *version, std::move(read));
}

void StateApi::get(const http::Request& request, http::Responder responder) {
  if (const auto problem = check_place(request)) return responder.fail(*problem);
  auto loaded = [this, key = request.parameters[1],
                 responder = std::move(responder)](Result<Sessions::Snapshot> snapshot) mutable {
    if (!snapshot) return responder.fail(problem_of(snapshot.error()));
    const StateEntry* entry = live_entry(**snapshot, key, dependencies_.clock.now());
    if (entry == nullptr) return responder.fail(not_found("the session has no key " + key));
    http::Response response = http::Response::json(200, std::string(entry->value.bytes()));
    response.headers.emplace_back("ETag", etag(entry->version));
    responder.respond(std::move(response));
  };
  dependencies_.sessions.load(request.parameters[0], std::move(loaded));
}

void StateApi::put(const http::Request& request, http::Responder responder) {
  if (const auto problem = check_place(request)) return responder.fail(*problem);
  auto precondition = precondition_of(request);
  if (!precondition) return responder.fail(precondition.error());
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  if (json->size() > kMaxPayload) return responder.fail(payload_too_large("the value", json->size()));

  const std::string& key = request.parameters[1];
  const Timestamp now = dependencies_.clock.now();
  StateWrite write{.key = key, .value = Payload(std::string(*json)), .expires_at = {}};
  if (key.starts_with(kScratch)) write.expires_at = now + kScratchTtl;
  const http::Target target = query_of(request.target());
  if (const auto text = target.parameter("ttl")) {
    const auto ttl = parse_duration(*text);
    if (!ttl || *ttl <= Duration::zero() || *ttl > kLongestTtl) {
      return responder.fail(invalid_parameter("ttl", "must be a duration such as 300s, at most 3650d"));
    }
    write.expires_at = now + *ttl;
  }
  std::vector<std::string> blobs;
  find_blob_references(*json, blobs);
  auto writing = std::make_unique<Writing>(dependencies_, request.parameters[0], std::move(write),
                                           *precondition, std::move(responder));
  check_blobs(dependencies_.store, std::move(blobs),
              [writing = std::move(writing)](Result<void> there) mutable {
                if (!there) return writing->responder.fail(blob_problem(there.error(), ""));
                Writing::begin(std::move(writing));
              });
}

void StateApi::remove(const http::Request& request, http::Responder responder) {
  if (const auto problem = check_place(request)) return responder.fail(*problem);
  auto precondition = precondition_of(request);
  if (!precondition) return responder.fail(precondition.error());
  if (std::holds_alternative<KeyAbsent>(*precondition)) {
    return responder.fail(invalid_parameter("If-None-Match", "makes no sense with DELETE"));
  }
  Writing::begin(std::make_unique<Writing>(dependencies_, request.parameters[0],
                                           StateWrite{request.parameters[1], std::nullopt, std::nullopt},
                                           *precondition, std::move(responder)));
}

}  // namespace ganglion::ingress

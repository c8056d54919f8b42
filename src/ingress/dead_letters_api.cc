#include "ingress/dead_letters_api.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json_text.h"
#include "coordinator/coordinator.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "ingress/event_request.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ingress/query.h"
#include "ingress/record_json.h"
#include "ingress/record_list.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::ingress {
namespace {

constexpr std::string_view kPlace[] = {"run_id", "workflow", "step", "item", "agent", "attempts", "input"};

// The event that was buried, with the version that it asked for.
std::string event_json(const RecordData& data) {
  const std::string_view event = data.member("event");
  const std::string_view version = data.member("topicversion");
  if (event == "null" || version == "null") return std::string(event);
  JsonObject object;
  JsonMembers members(event);
  while (const auto member = members.next()) object.add_raw(member->name, member->value);
  return object.add_raw("topicversion", version).finish();
}

std::string dead_letter_json(const Record& record, const RecordData& data) {
  JsonObject object;
  object.add("id", record.id).add_raw("kind", data.member("kind")).add("at", format_rfc3339(record.at));
  add_members(object, data, kPlace);
  object.add_raw("event", event_json(data)).add_raw("error", data.member("error"));
  return object.finish();
}

std::uint32_t version_of(const RecordData& data) {
  const std::string_view text = data.member("topicversion");
  std::uint32_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

TopicEvent buried_event(const RecordData& data, Timestamp now) {
  Record inner;
  inner.data = data.member("event");
  const RecordData members(inner);
  TopicEvent event;
  event.id = members.text("id");
  event.source = members.text("source");
  event.topic = members.text("type");
  event.time = parse_rfc3339(members.text("time")).value_or(now);
  if (members.member("subject") != "null") event.subject = members.text("subject");
  event.data = Payload(std::string(members.member("data")));
  event.version = version_of(data);
  return event;
}

}  // namespace

struct DeadLettersApi::Requeue {
  std::string id;
  Record record;
  TopicEvent event;
  bool renamed = false;
  http::Responder responder;

  void conflict(std::string why) {
    responder.fail({.status = 409, .code = "conflict", .detail = std::move(why)});
  }

  void answer(const std::optional<RunId>& run, std::optional<std::uint64_t> seq) {
    JsonObject object;
    object.add("id", id);
    object.add_raw("run_id", run ? "\"" + run->text() + "\"" : "null");
    object.add_raw("event_seq", seq ? std::to_string(*seq) : "null");
    responder.respond(http::Response::json(200, object.finish()));
  }
};

void DeadLettersApi::register_routes(http::Router& router) {
  using http::Request;
  using http::Responder;
  router.add(http::Method::get, "/v1/dead-letters",
             [this](const Request& request, Responder responder) { list(request, std::move(responder)); });
  router.add(http::Method::delete_, "/v1/dead-letters",
             [this](const Request& request, Responder responder) { purge(request, std::move(responder)); });
  router.add(http::Method::post, "/v1/dead-letters/{id}/requeue",
             [this](const Request& request, Responder responder) { requeue(request, std::move(responder)); });
  router.add(http::Method::delete_, "/v1/dead-letters/{id}",
             [this](const Request& request, Responder responder) { remove(request, std::move(responder)); });
}

void DeadLettersApi::list(const http::Request& request, http::Responder responder) {
  const http::Target target = query_of(request.target());
  const std::string kind(target.parameter("kind").value_or(""));
  if (!kind.empty() && kind != "task" && kind != "event") {
    return responder.fail(invalid_parameter("kind", "must be task or event"));
  }
  auto to_json = [kind](const Record& record) -> std::optional<std::string> {
    const RecordData data(record);
    if (!kind.empty() && data.text("kind") != kind) return std::nullopt;
    return dead_letter_json(record, data);
  };
  answer_with_records(dependencies_, RecordKind::dead_letter, request, std::move(to_json),
                      std::move(responder));
}

void DeadLettersApi::remove(const http::Request& request, http::Responder responder) {
  dependencies_.store.remove_records(
      RecordKind::dead_letter, request.parameters[0],
      [responder = std::move(responder)](Result<std::uint64_t> removed) mutable {
        if (!removed) return responder.fail(problem_of(removed.error()));
        if (*removed == 0) return responder.fail(not_found("there is no dead letter with this id"));
        responder.respond({204, {}, {}, {}});
      });
}

void DeadLettersApi::purge(const http::Request& request, http::Responder responder) {
  const http::Target target = query_of(request.target());
  if (!target.query.empty()) {
    return responder.fail(invalid_parameter(
        target.query.front().first,
        "is not taken here: this removes all of them; DELETE /v1/dead-letters/{id} removes one"));
  }
  dependencies_.store.remove_records(
      RecordKind::dead_letter, std::nullopt,
      [responder = std::move(responder)](Result<std::uint64_t> removed) mutable {
        if (!removed) return responder.fail(problem_of(removed.error()));
        responder.respond(http::Response::json(200, "{\"purged\":" + std::to_string(*removed) + "}"));
      });
}

void DeadLettersApi::requeue(const http::Request& request, http::Responder responder) {
  auto requeue = std::make_shared<Requeue>();
  requeue->id = request.parameters[0];
  requeue->responder = std::move(responder);
  dependencies_.store.find_record(
      {RecordKind::dead_letter, requeue->id}, [this, requeue](Result<Record> record) {
        if (!record && record.error().code == "not_found") {
          return requeue->responder.fail(not_found("there is no dead letter with this id"));
        }
        if (!record) return requeue->responder.fail(problem_of(record.error()));
        requeue->record = *std::move(record);
        if (RecordData(requeue->record).text("kind") == "event") return requeue_event(requeue);
        requeue_task(requeue);
      });
}

// --- tasks
// -------------------------------------------------------------------------------------------------------

void DeadLettersApi::requeue_task(std::shared_ptr<Requeue> requeue) {
  const auto token = AttemptToken::parse_path(requeue->id);
  if (!token) return requeue->conflict("this dead letter names no task");
  dependencies_.coordinator.inspect(token->run, [this, requeue, token = *token](Result<const Run*> run) {
    if (!run) return requeue->responder.fail(problem_of(run.error()));
    const RunState& state = (*run)->state();
    const auto* on_hold = std::get_if<RunOnHold>(&state);
    const bool failed =
        std::holds_alternative<RunBroken>(state) || std::holds_alternative<RunCalledOff>(state);
    const bool held = on_hold != nullptr && on_hold->step == token.step;
    const auto given_up = (*run)->given_up();
    if ((!failed && !held) || std::ranges::find(given_up, token) == given_up.end()) {
      return requeue->conflict("the run has gone on without it");
    }
    auto done = [requeue, run_id = token.run](Result<void> submitted) {
      if (!submitted) return requeue->responder.fail(problem_of(submitted.error()));
      requeue->answer(run_id, std::nullopt);
    };
    dependencies_.coordinator.submit(token.run, held ? Input(Resume{}) : Input(Retry{}), std::move(done));
  });
}

// --- events
// -------------------------------------------------------------------------------------------------------

void DeadLettersApi::requeue_event(std::shared_ptr<Requeue> requeue) {
  requeue->event = buried_event(RecordData(requeue->record), dependencies_.clock.now());
  const auto project = dependencies_.definitions.active();
  switch (check_topic(project.get(), requeue->event)) {
    case TopicCheck::good:
      break;
    case TopicCheck::unknown_version:
      return requeue->conflict("the project still has no version " + std::to_string(requeue->event.version) +
                               " of the topic " + requeue->event.topic);
    case TopicCheck::invalid:
      return requeue->conflict("its data is not valid against the schema of the topic " +
                               requeue->event.topic);
  }
  publish(std::move(requeue));
}

void DeadLettersApi::publish(std::shared_ptr<Requeue> requeue) {
  auto appended = [this, requeue](Result<std::vector<Appended>> result) {
    if (!result) return requeue->responder.fail(problem_of(result.error()));
    // The log has it already: what failed was what it set off. It goes in again under another name, the same
    // however often this is asked for.
    if (result->front().existed && !requeue->renamed) {
      requeue->renamed = true;
      requeue->event.id += "/requeued/" + requeue->id;
      return publish(requeue);
    }
    const std::uint64_t seq = result->front().seq;
    dependencies_.store.remove_records(RecordKind::dead_letter, requeue->id,
                                       [requeue, seq](const Result<std::uint64_t>& removed) {
                                         if (!removed)
                                           return requeue->responder.fail(problem_of(removed.error()));
                                         requeue->answer(std::nullopt, seq);
                                       });
  };
  dependencies_.events.append({requeue->event}, std::move(appended));
}

}  // namespace ganglion::ingress

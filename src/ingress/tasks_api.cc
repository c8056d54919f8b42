#include "ingress/tasks_api.h"

#include <memory>
#include <utility>

#include "agents/heartbeat_relay.h"
#include "agents/pool.h"
#include "agents/task_json.h"
#include "base/json_text.h"
#include "ingress/blob_check.h"
#include "ingress/body.h"
#include "ingress/http/router.h"
#include "ingress/problems.h"
#include "ingress/task_requests.h"

namespace ganglion::ingress {
namespace {

using agents::HandedTask;

std::string tasks_json(const std::vector<HandedTask>& tasks) {
  std::string list = "[";
  for (const HandedTask& handed : tasks) {
    if (list.size() > 1) list += ',';
    list += agents::task_json(handed.task, handed.deadline);
  }
  return list + "]";
}

http::Response answer(const std::optional<std::string>& verdicts, std::string_view tasks) {
  JsonObject object;
  if (verdicts) object.add_raw("verdicts", *verdicts);
  object.add_raw("tasks", tasks);
  return http::Response::json(200, object.finish());
}

http::Response answer(const agents::HeartbeatReply& reply) {
  JsonObject object;
  object.add("cancelled", reply.cancelled);
  if (reply.known) {
    object.add("deadline", format_rfc3339(reply.deadline));
  } else {
    object.add_raw("deadline", "null");
  }
  return http::Response::json(200, object.finish());
}

// Reports on their way to the coordinator, and what it has said so far.
struct Batch {
  std::vector<std::string_view> verdicts;
  std::optional<Error> error;
  std::size_t open = 0;

  std::string verdicts_json() const {
    std::string list = "[";
    for (const std::string_view verdict : verdicts) {
      if (list.size() > 1) list += ',';
      append_json_string(list, verdict);
    }
    return list + "]";
  }
};

// A failure of the engine's own making is told to the worker as `invalid`.
bool is_replaced(const TaskReport& report) {
  const auto* failure = std::get_if<TaskFailure>(&report.outcome);
  return failure != nullptr && failure->code == "output_too_large";
}

// What a result becomes that refers to a blob which isn't there.
TaskReport without_blob(TaskReport report, const Error& error) {
  auto usage = std::get<TaskSuccess>(report.outcome).usage;
  report.outcome = TaskFailure{error.code, error.message, false, std::move(usage)};
  return report;
}

}  // namespace

void TasksApi::register_routes(http::Router& router) {
  const auto add = [&](const char* path, void (TasksApi::*handle)(const http::Request&, http::Responder)) {
    router.add(http::Method::post, path,
               [this, handle](const http::Request& request, http::Responder responder) {
                 (this->*handle)(request, std::move(responder));
               });
  };
  add("/v1/tasks/poll", &TasksApi::poll);
  add("/v1/tasks/complete", &TasksApi::complete);
  add("/v1/tasks/exchange", &TasksApi::exchange);
  add("/v1/tasks/heartbeat", &TasksApi::heartbeat);
}

void TasksApi::poll(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  agents::PollRequest poll = read_poll(body, options_);
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  hand_out(std::move(poll), std::nullopt, std::move(responder));
}

void TasksApi::complete(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  const std::string worker = body.text("worker", Need::optional, kMaxWorkerId).value_or("");
  auto reports = read_results(body, worker, errors);
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  report(std::move(reports), [responder = std::move(responder)](Result<std::string> verdicts) mutable {
    if (!verdicts) return responder.fail(problem_of(verdicts.error()));
    responder.respond(http::Response::json(200, "{\"verdicts\":" + *verdicts + "}"));
  });
}

void TasksApi::exchange(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  agents::PollRequest poll = read_poll(body, options_);
  auto reports = read_results(body, poll.worker, errors);
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));
  auto reported = [this, poll = std::move(poll),
                   responder = std::move(responder)](Result<std::string> verdicts) mutable {
    if (!verdicts) return responder.fail(problem_of(verdicts.error()));
    hand_out(std::move(poll), *std::move(verdicts), std::move(responder));
  };
  report(std::move(reports), std::move(reported));
}

void TasksApi::report(std::vector<ReadResult> reports, Reported done) {
  auto batch = std::make_shared<Batch>();
  batch->verdicts.assign(reports.size(), verdict_name(Verdict::unknown));
  batch->open = 1;  // this call itself, so that the end can't come before the last report has gone
  auto finish = std::make_shared<Reported>(std::move(done));
  const auto one_done = [batch, finish] {
    if (--batch->open > 0) return;
    (*finish)(batch->error ? Result<std::string>(std::unexpected(*batch->error)) : batch->verdicts_json());
  };
  for (std::size_t i = 0; i < reports.size(); ++i) {
    if (!reports[i]) {
      batch->verdicts[i] = verdict_name(reports[i].error());
      continue;
    }
    ++batch->open;
    auto decided = [batch, one_done, i](Result<Verdict> verdict) {
      if (verdict) {
        batch->verdicts[i] = verdict_name(*verdict);
      } else {
        batch->error = verdict.error();
      }
      one_done();
    };
    report_one(*std::move(reports[i]), std::move(decided));
  }
  one_done();
}

void TasksApi::report_one(Report report, TaskReports::Completion done) {
  if (report.blobs.empty()) {
    const bool replaced = is_replaced(report.report);
    return pass_on(std::move(report.report), replaced, std::move(done));
  }
  auto checked = [this, report = std::move(report.report),
                  done = std::move(done)](Result<void> there) mutable {
    if (there) return pass_on(std::move(report), false, std::move(done));
    if (there.error().code != "unknown_blob") return done(std::unexpected(there.error()));
    pass_on(without_blob(std::move(report), there.error()), true, std::move(done));
  };
  check_blobs(dependencies_.store, std::move(report.blobs), std::move(checked));
}

void TasksApi::pass_on(TaskReport report, bool replaced, TaskReports::Completion done) {
  auto decided = [replaced, done = std::move(done)](Result<Verdict> verdict) mutable {
    const bool refused = replaced && verdict && *verdict == Verdict::accepted;
    done(refused ? Result<Verdict>(Verdict::invalid) : std::move(verdict));
  };
  dependencies_.pool.complete(std::move(report), std::move(decided));
}

void TasksApi::hand_out(agents::PollRequest poll, Verdicts verdicts, http::Responder responder) {
  if (!responder.open()) return;
  const auto waiting = std::make_shared<http::Responder>(std::move(responder));
  auto ready = [this, waiting, verdicts](const std::vector<HandedTask>& tasks) {
    std::vector<AttemptToken> tokens;
    for (const HandedTask& handed : tasks) tokens.push_back(handed.task.token);
    http::LossHook lost;
    if (!tokens.empty()) {
      lost = [this, tokens = std::move(tokens)] { dependencies_.pool.hand_back(tokens); };
    }
    waiting->respond(answer(verdicts, tasks_json(tasks)), std::move(lost));
  };
  const agents::PollTicket ticket = dependencies_.pool.poll(std::move(poll), std::move(ready));
  waiting->on_interrupt([this, ticket, waiting, verdicts](http::Interrupt why) {
    dependencies_.pool.cancel_poll(ticket);
    // Verdicts must not be lost to a server that goes down; a mere poll is told to come back.
    if (why == http::Interrupt::draining && verdicts) waiting->respond(answer(verdicts, "[]"));
  });
}

void TasksApi::heartbeat(const http::Request& request, http::Responder responder) {
  const auto json = json_body(request);
  if (!json) return responder.fail(json.error());
  std::vector<http::FieldError> errors;
  ObjectReader body(*json, "", errors);
  const std::string token_text = body.text("token", Need::required, kMaxTokenLength).value_or("");
  agents::Heartbeat heartbeat;
  heartbeat.worker = body.text("worker", Need::optional, kMaxWorkerId).value_or("");
  heartbeat.progress = body.number("progress");
  if (const auto details = body.raw("details"); details && details->size() <= agents::kMaxHeartbeatDetails) {
    heartbeat.details = Payload(std::string(*details));
  }
  body.finish();
  if (!errors.empty()) return responder.fail(invalid(std::move(errors)));

  const auto token = AttemptToken::parse(token_text);
  if (!token) return responder.respond(answer(agents::HeartbeatReply()));
  heartbeat.token = *token;
  const agents::HeartbeatReply reply = dependencies_.pool.heartbeat(heartbeat);
  if (reply.known || !dependencies_.heartbeats) return responder.respond(answer(reply));
  auto waiting = std::make_shared<http::Responder>(std::move(responder));
  dependencies_.heartbeats->pass_on(std::move(heartbeat), [waiting](Result<agents::HeartbeatReply> found) {
    if (!found) return waiting->fail(problem_of(found.error()));
    waiting->respond(answer(*found));
  });
}

}  // namespace ganglion::ingress

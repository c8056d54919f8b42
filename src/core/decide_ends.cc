// Attempts, tasks and steps end: results that count, failures, and what follows them.

#include <algorithm>
#include <utility>

#include "base/mutants.h"
#include "base/overloaded.h"
#include "core/decider.h"
#include "core/retry.h"
#include "core/state_size.h"
#include "core/topic.h"

namespace ganglion {
namespace {

// Of what has no policy of its own.
const RetryPolicy kOnce{.max_attempts = 1};

// What a failed attempt says beyond the bound is not kept.
std::optional<Payload> bounded_usage(const std::optional<Payload>& usage) {
  return usage && usage->size() <= kMaxUsage ? usage : std::nullopt;
}

// At most 200 bytes, whole characters.
std::string beginning_of(std::string_view text) {
  constexpr std::size_t kMost = 200;
  if (text.size() <= kMost) return std::string(text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace

std::optional<Verdict> Decider::refusal_of(const TaskReport& report) const {
  const AttemptToken& token = report.token;
  if (token.step.value() >= run_.steps().size() || token.attempt == Attempt(0)) return Verdict::unknown;
  const StepRecord& step = run_.step(token.step);
  if (std::holds_alternative<StepDone>(step.state)) return Verdict::stale_attempt;
  const TaskRecord* task = run_.find_task(token.step, token.item);
  if (task == nullptr || token.attempt > task->attempt) return Verdict::unknown;
  const bool handed_out = task->role == TaskRole::work || task->role == TaskRole::classify;
  if (handed_out == report.by_engine && token.attempt == task->attempt) return Verdict::unknown;
  const bool fenced = token.attempt == task->attempt || !kFencing;
  const bool current = !run_.ended() && std::holds_alternative<StepRunning>(step.state) &&
                       std::holds_alternative<TaskDispatched>(task->state) && fenced;
  return current ? std::nullopt : std::optional(Verdict::stale_attempt);
}

// --- results
// ------------------------------------------------------------------------------------------------------

// Why this result can't be accepted.
std::optional<TaskFailure> Decider::broken_promise(const TaskReport& report,
                                                   const TaskSuccess& success) const {
  const auto refused = [&](std::string code, std::string message, bool retryable = true) {
    return TaskFailure{std::move(code), std::move(message), retryable, {}};
  };
  const Payload& output = success.output;
  if (success.usage && success.usage->size() > kMaxUsage) {
    return refused("invalid_output", "the usage has " + std::to_string(success.usage->size()) +
                                         " bytes; at most " + std::to_string(kMaxUsage) + " are kept");
  }
  if (output.size() > kMaxPayload) {
    return refused("output_too_large", "the output has " + std::to_string(output.size()) +
                                           " bytes; at most " + std::to_string(kMaxPayload) +
                                           " travel inline; put more into a blob");
  }
  const TaskRecord& task = *run_.find_task(report.token.step, report.token.item);
  const AgentDefinition* agent = find_agent(run_.agent_of(report.token.step, report.token.item));
  const bool from_agent = task.role == TaskRole::work && agent != nullptr;
  if (!from_agent) return std::nullopt;
  if (auto failure = forbidden(*agent, success)) return failure;
  if (!agent->output) return std::nullopt;
  const auto violations = agent->output->validate_json(output.bytes());
  if (!violations) return refused("invalid_output", violations.error().message);
  if (violations->empty()) return std::nullopt;
  const schema::Violation& first = violations->front();
  return refused("invalid_output", (first.path.empty() ? "the output" : first.path) + ": " + first.message);
}

// What the result publishes or writes and the agent may not.
std::optional<TaskFailure> Decider::forbidden(const AgentDefinition& agent,
                                              const TaskSuccess& success) const {
  const auto refused = [](std::string code, std::string message) {
    return TaskFailure{std::move(code), std::move(message), false, {}};
  };
  if (success.events.size() > kMaxPublished || success.state.size() > kMaxStateWrites) {
    return refused("invalid_output", "a result has at most " + std::to_string(kMaxPublished) +
                                         " events and " + std::to_string(kMaxStateWrites) +
                                         " writes of the state");
  }
  if (!success.events.empty() && run_.created().origin->cause &&
      run_.created().origin->cause->hops >= kMaxHops) {
    return refused("hop_limit", "the event that started this run is the end of a chain of " +
                                    std::to_string(kMaxHops) + " events that caused each other");
  }
  for (const PublishRequest& event : success.events) {
    if (!is_topic(event.topic) || event.topic.size() > kMaxTopic) {
      return refused("invalid_output", "\"" + event.topic + "\" is no name of a topic");
    }
    if (!any_matches(agent.publishes, event.topic)) {
      return refused("not_permitted", "the agent " + agent.name + " may not publish " + event.topic +
                                          "; its `publishes` doesn't name it");
    }
    if (event.data.size() > kMaxPayload) return refused("output_too_large", "an event is too large");
    if (const auto version = checked_version(event.topic, event.version, event.data); !version) {
      return refused(version.error().code, version.error().message);
    }
  }
  if (!success.state.empty() && !run_.created().session_id) {
    return refused("no_session",
                   "the result writes the state of a session, and the run was started without one");
  }
  for (const StateWrite& write : success.state) {
    if (!is_topic(write.key) || write.key.size() > kMaxStateKey) {
      return refused("invalid_output", "\"" + write.key + "\" is no key of a state");
    }
    if (!any_matches(agent.state.write, write.key)) {
      return refused("not_permitted", "the agent " + agent.name + " may not write the state's " + write.key +
                                          "; its `state.write` doesn't name it");
    }
    if (write.value && write.value->size() > kMaxPayload) {
      return refused("output_too_large", "the value of the state's " + write.key + " is too large");
    }
  }
  if (!success.state.empty() && !has_room(scope_.state(), success.state)) {
    return refused("too_large", state_too_large().message);
  }
  return std::nullopt;
}

void Decider::succeed(TaskReport report, const TaskSuccess& success) {
  const TaskRecord& task = *run_.find_task(report.token.step, report.token.item);
  if (task.role == TaskRole::classify) return classified(report, success);
  if (auto broken = broken_promise(report, success)) {
    decision_.verdict = Verdict::invalid;
    broken->usage = success.usage;
    return fail_attempt(report, *broken);
  }
  accept(report, success);
}

void Decider::accept(const TaskReport& report, const TaskSuccess& success) {
  const AttemptToken& token = report.token;
  const Place place{token.step, token.item};
  const StepDefinition& definition = run_.definition(token.step);
  bool again = false;
  if (definition.until) {
    scope_.enter(place.step, place.item, &success.output);
    const auto reached = definition.until->evaluate(scope_);
    scope_.leave();
    if (!reached) return end_loop(report, success, reached.error());
    if (!reached->is(expr::Kind::boolean)) {
      return end_loop(report, success, {"invalid_condition", "`until` gave no true or false"});
    }
    again = !reached->as_boolean();
    const std::uint32_t iteration = run_.find_task(place.step, place.item)->iteration;
    if (again && iteration >= definition.max_iterations) {
      return end_loop(report, success,
                      {"max_iterations", "`until` was not true after " +
                                             std::to_string(definition.max_iterations) + " iterations"});
    }
  }
  for (const PublishRequest& event : success.events) {
    const auto version = checked_version(event.topic, event.version, event.data);
    emit_published(place, event.topic, version.value_or(0), event.data);
  }
  for (StateWrite write : success.state) {
    if (write.value) write.expires_at = expiry_of(write.key);
    emit(StateChanged{place.step, place.item, std::move(write)});
  }
  keep_cached(place, success.output);
  emit(TaskSucceeded{token.step, token.item, token.attempt, success.output, success.usage, report.worker,
                     report.started_at, again, report.queued_at, report.work});
  if (again) return next_task(token.step, token.item);
  item_ended(token.step);
}

void Decider::keep_cached(Place place, const Payload& output) {
  const TaskRecord& task = *run_.find_task(place.step, place.item);
  if (task.role != TaskRole::work || !task.details || task.details->cache_key.empty()) return;
  const std::vector<Link> chain = chain_of(run_, place.step, place.item);
  // What a fallback has answered is not what the agent would.
  const auto own = std::ranges::find(chain, TaskRole::work, &Link::role);
  if (task.link != static_cast<std::uint32_t>(own - chain.begin())) return;
  if (const auto ttl = cache_ttl(run_.definition(place.step), chain))
    decision_.cached.push_back({task.details->cache_key, output, *ttl});
}

void Decider::classified(const TaskReport& report, const TaskSuccess& success) {
  const AttemptToken& token = report.token;
  const TaskRecord& task = *run_.find_task(token.step, token.item);
  const auto& call = std::get<AgentCall>(run_.definition(token.step).action);
  const std::string called = call.agent.empty() ? task.details->called : call.agent;
  const AgentDefinition* agent = find_agent(called);
  const auto* router = agent ? std::get_if<RouterAgent>(&agent->backend) : nullptr;
  const auto way = router ? route_by_answer(*router, success.output) : std::nullopt;
  if (!way) {
    const std::string answer = beginning_of(success.output.bytes());
    TaskFailure failure{"invalid_output", "the classifier named none of the router's agents: " + answer, true,
                        success.usage};
    decision_.verdict = Verdict::invalid;
    return fail_attempt(report, failure);
  }
  emit(TaskRouted{token.step,
                  token.item,
                  token.attempt,
                  called,
                  way->to,
                  way->by,
                  way->reason,
                  {},
                  bounded_usage(success.usage)});
  next_task(token.step, token.item);
}

// --- failures
// -----------------------------------------------------------------------------------------------------

const RetryPolicy& Decider::retry_policy(const AttemptToken& token) const {
  const StepDefinition& definition = run_.definition(token.step);
  const TaskRole role = run_.find_task(token.step, token.item)->role;
  if (role == TaskRole::cache || role == TaskRole::recall) return kOnce;
  if (definition.retry) return *definition.retry;
  const AgentDefinition* agent =
      role == TaskRole::sub_run ? nullptr : find_agent(run_.agent_of(token.step, token.item));
  return agent ? agent->retry : kOnce;
}

bool Decider::has_next_link(const AttemptToken& token) const {
  const TaskRecord& task = *run_.find_task(token.step, token.item);
  return task.role != TaskRole::classify && task.link + 1 < chain_of(run_, token.step, token.item).size();
}

// The router's default, where the classifier has failed for good.
bool Decider::route_without_classifier(const TaskReport& report, const TaskFailure& failure) {
  const AttemptToken& token = report.token;
  const TaskRecord& task = *run_.find_task(token.step, token.item);
  if (task.role != TaskRole::classify) return false;
  const auto& call = std::get<AgentCall>(run_.definition(token.step).action);
  const std::string called = call.agent.empty() ? task.details->called : call.agent;
  const AgentDefinition* agent = find_agent(called);
  const auto* router = agent ? std::get_if<RouterAgent>(&agent->backend) : nullptr;
  if (router == nullptr || !router->otherwise) return false;
  emit(TaskRouted{token.step,
                  token.item,
                  token.attempt,
                  called,
                  *router->otherwise,
                  RoutedBy::otherwise,
                  "the classifier failed: " + failure.message,
                  {},
                  bounded_usage(failure.usage)});
  next_task(token.step, token.item);
  return true;
}

void Decider::fail_attempt(const TaskReport& report, const TaskFailure& failure) {
  const AttemptToken& token = report.token;
  const TaskRecord& task = *run_.find_task(token.step, token.item);
  const RetryPolicy& policy = retry_policy(token);
  const std::uint32_t failures = token.attempt.value() - task.earlier_attempts;
  Error error{failure.code, failure.message};
  TaskFailed failed{token.step,
                    token.item,
                    token.attempt,
                    error,
                    std::nullopt,
                    report.worker,
                    report.started_at,
                    false,
                    bounded_usage(failure.usage),
                    report.queued_at,
                    report.work};
  if (failure.retryable && failures < policy.max_attempts) {
    failed.retry_at = now_ + retry_pause(policy, failures, token);
    emit(std::move(failed));
    return;
  }
  if (route_without_classifier(report, failure)) return;
  if (has_next_link(token)) {
    failed.fall_back = true;
    emit(std::move(failed));
    return next_task(token.step, token.item);
  }
  // That the cache knew nothing either doesn't explain why it was asked.
  if (task.role == TaskRole::recall && task.details && task.details->last_error)
    error = *task.details->last_error;
  const bool by_person = std::holds_alternative<TaskAwaiting>(task.state);
  if (!by_person) {
    decision_.dead_letters.push_back({token, run_.agent_of(token.step, token.item), task.input, error});
  }
  failed.error = error;
  emit(std::move(failed));
  const StepDefinition& definition = run_.definition(token.step);
  if (definition.for_each && definition.on_failure == OnFailure::continue_run) return item_ended(token.step);
  fail_step(token.step, std::move(error));
}

// A result is there, but the loop that it belongs to has failed.
void Decider::end_loop(const TaskReport& report, const TaskSuccess& success, Error error) {
  const AttemptToken& token = report.token;
  const StepDefinition& definition = run_.definition(token.step);
  emit(TaskFailed{token.step, token.item, token.attempt, error, std::nullopt, report.worker,
                  report.started_at, false, success.usage, report.queued_at, report.work});
  if (definition.on_failure != OnFailure::continue_run) return fail_step(token.step, std::move(error));
  if (definition.for_each) return item_ended(token.step);
  emit(StepCompleted{token.step, success.output, std::move(error)});
}

// The next attempt at once: another link, iteration or agent. A run on hold does it when it is resumed.
void Decider::next_task(StepIndex step, ItemIndex item) {
  if (!active()) return;
  if (auto scheduled = schedule({step, item}); !scheduled) cannot_schedule(step, scheduled.error());
}

void Decider::item_ended(StepIndex step) {
  const auto* running = std::get_if<StepRunning>(&run_.step(step).state);
  if (running == nullptr) return;
  const std::size_t items = run_.step(step).tasks.size();
  if (running->ended < items) {
    if (auto filled = fill(step); !filled) cannot_schedule(step, filled.error());
    return;
  }
  if (const std::size_t size = run_.collected_size(step); size > kMaxPayload) {
    return fail_step(step,
                     {"too_large", "the list of results has " + std::to_string(size) + " bytes; at most " +
                                       std::to_string(kMaxPayload) + " travel inline"});
  }
  std::optional<Error> error;
  if (running->given_up > 0) {
    error = Error{"items_failed",
                  std::to_string(running->given_up) + " of " + std::to_string(items) + " items failed"};
  }
  emit(StepCompleted{step, std::nullopt, std::move(error)});
}

// Nothing that the step could be told to do about it would make room in the run's budget.
void Decider::cannot_schedule(StepIndex step, Error error) {
  if (error.code == "budget_exceeded") return fail_run(std::move(error), step);
  fail_step(step, std::move(error));
}

void Decider::fail_step(StepIndex step, Error error) {
  withdraw(run_.open_attempts(step));
  emit(StepFailed{step, error});
  switch (run_.definition(step).on_failure) {
    case OnFailure::fail_run:
      return fail_run(std::move(error), step);
    case OnFailure::pause_run:
      return emit(RunPaused{.step = step});
    case OnFailure::continue_run:
      return;
  }
}

void Decider::fail_run(Error error, std::optional<StepIndex> step) {
  withdraw(run_.open_attempts());
  emit(RunFailed{std::move(error), step});
}

void Decider::withdraw(const std::vector<AttemptToken>& tokens) {
  decision_.withdrawn.insert(decision_.withdrawn.end(), tokens.begin(), tokens.end());
}

}  // namespace ganglion

// Tasks are scheduled: who is asked, with which input, and whether the budget has room for it.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "base/sha256.h"
#include "core/decider.h"

namespace ganglion {
namespace {

constexpr double kMaxSleepSeconds = 3650.0 * 86400.0;

// What a `sleep` renders to: "30s", or a number of seconds.
Result<Duration> sleep_duration(const expr::Value& value) {
  double seconds = -1;
  switch (value.kind()) {
    case expr::Kind::string:
      return parse_duration(value.as_string());
    case expr::Kind::integer:
      seconds = static_cast<double>(value.as_integer());
      break;
    case expr::Kind::unsigned_integer:
      seconds = static_cast<double>(value.as_unsigned_integer());
      break;
    case expr::Kind::real:
      seconds = value.as_real();
      break;
    case expr::Kind::duration:
      seconds = static_cast<double>(value.as_duration().count()) / 1e9;
      break;
    case expr::Kind::null:
    case expr::Kind::boolean:
    case expr::Kind::bytes:
    case expr::Kind::list:
    case expr::Kind::map:
    case expr::Kind::timestamp:
    case expr::Kind::type:
      break;
  }
  if (!(seconds >= 0 && seconds <= kMaxSleepSeconds)) {
    return fail("invalid_duration",
                "sleep needs a duration such as \"30s\" or a number of seconds from 0 to 3650 days");
  }
  return Duration(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

std::string amount(double number) {
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

}  // namespace

// Schedules tasks of a running step until its share of parallel ones, or the budget, is used up.
Result<Decider::Begun> Decider::fill(StepIndex step) {
  const std::uint32_t wanted = run_.definition(step).max_parallel;
  const std::uint32_t bound = wanted == 0 ? kMaxTasksInFlight : std::min(wanted, kMaxTasksInFlight);
  const auto* running = std::get_if<StepRunning>(&run_.step(step).state);
  while (active() && running != nullptr && running->next_item < run_.step(step).tasks.size()) {
    if (running->in_flight >= bound) break;
    const auto scheduled = schedule({step, ItemIndex(static_cast<std::uint32_t>(running->next_item))});
    if (!scheduled || *scheduled == Begun::blocked) return scheduled;
    running = std::get_if<StepRunning>(&run_.step(step).state);
  }
  return Begun::yes;
}

Result<Decider::Begun> Decider::schedule(Place place) {
  const auto at_once = [&]() -> Result<Begun> { return fail("internal", "the step has no tasks"); };
  return std::visit(
      Overloaded{[&](const AgentCall& call) { return schedule_call(place, call); },
                 [&](const SubWorkflow& sub) { return schedule_sub_run(place, sub); },
                 [&](const Approval& approval) -> Result<Begun> {
                   auto show = input_of(place, approval.show, nullptr);
                   if (!show) return std::unexpected(show.error());
                   std::string digest = sha256_hex(show->bytes());
                   return begin_wait(place, ForPerson{approval.by, *std::move(show), std::move(digest), {}});
                 },
                 [&](const WaitFor& wait) { return begin_wait(place, ForEvent{wait.event, since_}); },
                 [&](const Sleep& sleep) -> Result<Begun> {
                   enter(place);
                   const auto value = sleep.duration.evaluate(scope_);
                   scope_.leave();
                   if (!value) return std::unexpected(value.error());
                   const auto duration = sleep_duration(*value);
                   if (!duration) return std::unexpected(duration.error());
                   return begin_wait(place, UntilTime{now_ + *duration});
                 },
                 [&](const Publish&) { return at_once(); }, [&](const SetState&) { return at_once(); },
                 [&](const Transform&) { return at_once(); }},
      run_.definition(place.step).action);
}

void Decider::enter(Place place) {
  const TaskRecord* task = run_.find_task(place.step, place.item);
  const bool repeated = task != nullptr && task->details && task->details->last_output;
  scope_.enter(place.step, place.item, repeated ? &*task->details->last_output : nullptr);
}

Result<Payload> Decider::input_of(Place place, const expr::Template& input, const AgentDefinition* called) {
  enter(place);
  const bool reads_state = called != nullptr && run_.workflow().reads_state;
  if (reads_state) scope_.limit_state(readers_of(run_.project(), run_.definition(place.step), *called));
  auto rendered = bounded(input.render(scope_));
  scope_.limit_state({});
  scope_.leave();
  return rendered;
}

Attempt Decider::next_attempt(Place place) const {
  const TaskRecord* task = run_.find_task(place.step, place.item);
  return task == nullptr ? Attempt(1) : task->attempt.next();
}

TaskScheduled Decider::scheduled(Place place, std::string agent, TaskRole role,
                                 std::optional<Payload> input) const {
  const TaskRecord* task = run_.find_task(place.step, place.item);
  TaskScheduled event{place.step, place.item, next_attempt(place), std::move(agent), std::move(input), role};
  if (task != nullptr) {
    event.link = task->link;
    event.iteration = task->iteration;
  }
  if (run_.workflow().reads_state && around_.state != nullptr) event.state_version = around_.state->version;
  return event;
}

// --- agents
// -------------------------------------------------------------------------------------------------------

Result<std::string> Decider::called_agent(Place place, const AgentCall& call) {
  if (!call.agent.empty()) return call.agent;
  const TaskRecord* task = run_.find_task(place.step, place.item);
  if (task != nullptr && task->details && !task->details->called.empty()) return task->details->called;
  enter(place);
  const auto chosen = call.choice.evaluate(scope_);
  scope_.leave();
  if (!chosen) return std::unexpected(chosen.error());
  if (!chosen->is(expr::Kind::string)) return fail("unknown_agent", "`agent` gave no name");
  return chosen->as_string();
}

Result<Decider::Begun> Decider::schedule_call(Place place, const AgentCall& call) {
  const auto called = called_agent(place, call);
  if (!called) return std::unexpected(called.error());
  const AgentDefinition* agent = find_agent(*called);
  if (agent == nullptr) return fail("unknown_agent", "the project has no agent \"" + *called + "\"");
  const TaskRecord* task = run_.find_task(place.step, place.item);
  std::optional<Payload> fresh;
  if (task == nullptr || !task->has_input) {
    auto rendered = input_of(place, call.input, agent);
    if (!rendered) return std::unexpected(rendered.error());
    fresh = *std::move(rendered);
  }
  const bool routed = task != nullptr && task->details && !task->details->routed.empty();
  const bool asks_cache = run_.definition(place.step).cache && (task == nullptr || task->link == 0);
  const auto* router = std::get_if<RouterAgent>(&agent->backend);
  if (router == nullptr || routed || asks_cache) {
    return schedule_link(place, routed ? task->details->routed : *called, std::move(fresh));
  }
  const auto way = route(*router, *called, fresh ? *fresh : task->input);
  if (!way) return std::unexpected(way.error());
  if (!*way) {
    return schedule_classifier(place, call, *called, *router->classifier, std::move(fresh));
  }
  emit(TaskRouted{place.step, place.item, Attempt(0), *called, (*way)->to, (*way)->by, (*way)->reason,
                  std::move(fresh)});
  return schedule_link(place, (*way)->to, std::nullopt);
}

Result<Decider::Begun> Decider::schedule_classifier(Place place, const AgentCall& call,
                                                    const std::string& router, const std::string& classifier,
                                                    std::optional<Payload> input) {
  const AgentDefinition* asked = find_agent(classifier);
  if (asked == nullptr) return fail("unknown_agent", "the project has no agent \"" + classifier + "\"");
  if (is_probed(*asked)) return Begun::blocked;
  auto reservation = reserve(need_of(*asked));
  if (!reservation) return std::unexpected(reservation.error());
  if (reservation->begun == Begun::blocked) return Begun::blocked;
  TaskScheduled event = scheduled(place, classifier, TaskRole::classify, std::move(input));
  event.reserved = std::move(reservation->amount);
  if (call.agent.empty()) event.router = router;
  emit(std::move(event));
  return Begun::yes;
}

Result<std::optional<Route>> Decider::route(const RouterAgent& router, const std::string& name,
                                            const Payload& input) {
  if (auto by_rule = route_by_rule(router, input)) return by_rule;
  if (router.classifier) return std::nullopt;
  if (router.otherwise) return Route{*router.otherwise, RoutedBy::otherwise, "no rule matched"};
  return fail("no_route", "no rule of \"" + name + "\" matches the input, and it has no default");
}

Result<std::string> Decider::cache_key(Place place, const std::string& agent, const Payload& input) {
  const auto& policy = run_.definition(place.step).cache;
  if (!policy || !policy->key) return sha256_hex("input\n" + agent + "\n" + std::string(input.bytes()));
  const auto key = input_of(place, *policy->key, nullptr);
  if (!key) return std::unexpected(key.error());
  return sha256_hex("key\n" + agent + "\n" + std::string(key->bytes()));
}

Result<Decider::Begun> Decider::schedule_link(Place place, const std::string& performer,
                                              std::optional<Payload> fresh) {
  const AgentDefinition* agent = find_agent(performer);
  if (agent == nullptr) return fail("unknown_agent", "the project has no agent \"" + performer + "\"");
  const StepDefinition& definition = run_.definition(place.step);
  const std::vector<Link> chain = chain_of(definition, *agent);
  const TaskRecord* task = run_.find_task(place.step, place.item);
  const std::size_t at = task == nullptr ? 0 : std::min<std::size_t>(task->link, chain.size() - 1);
  const Link& link = chain[at];
  const bool lookup = link.role != TaskRole::work;

  std::string key;
  const bool has_key = task != nullptr && task->details && !task->details->cache_key.empty();
  if (!has_key && cache_ttl(definition, chain)) {
    auto computed = cache_key(place, performer, fresh ? *fresh : task->input);
    if (!computed) return std::unexpected(computed.error());
    key = *std::move(computed);
  }
  if (lookup) {
    TaskScheduled event = scheduled(place, performer, link.role, std::move(fresh));
    event.cache_key = std::move(key);
    emit(std::move(event));
    return Begun::yes;
  }
  const AgentDefinition* asked = find_agent(link.agent);
  if (asked == nullptr) return fail("unknown_agent", "the project has no agent \"" + link.agent + "\"");
  if (const auto* human = std::get_if<HumanAgent>(&asked->backend)) {
    Payload show = fresh ? *std::move(fresh) : task->input;
    std::string digest = sha256_hex(show.bytes());
    return begin_wait(place, ForPerson{human->by, std::move(show), std::move(digest), asked->name});
  }
  if (is_probed(*asked)) return Begun::blocked;
  auto reservation = reserve(need_of(*asked));
  if (!reservation) return std::unexpected(reservation.error());
  if (reservation->begun == Begun::blocked) return Begun::blocked;
  TaskScheduled event = scheduled(place, asked->name, TaskRole::work, std::move(fresh));
  event.cache_key = std::move(key);
  event.reserved = std::move(reservation->amount);
  emit(std::move(event));
  return Begun::yes;
}

// --- sub-runs and waits
// -------------------------------------------------------------------------------------------

Result<Decider::Begun> Decider::schedule_sub_run(Place place, const SubWorkflow& sub) {
  const auto found = run_.project().workflows.find(sub.workflow);
  if (found == run_.project().workflows.end()) {
    return fail("unknown_workflow", "the project has no workflow \"" + sub.workflow + "\"");
  }
  if (run_.created().origin->depth >= kMaxDepth) {
    return fail("too_deep", "sub-runs are nested " + std::to_string(kMaxDepth) + " deep at most");
  }
  const TaskRecord* task = run_.find_task(place.step, place.item);
  std::optional<Payload> fresh;
  if (task == nullptr || !task->has_input) {
    auto rendered = input_of(place, sub.input, nullptr);
    if (!rendered) return std::unexpected(rendered.error());
    fresh = *std::move(rendered);
  }
  if (fresh && found->second.input) {
    const auto violations = found->second.input->validate_json(fresh->bytes());
    if (!violations) return fail("invalid_input", violations.error().message);
    if (!violations->empty()) {
      const schema::Violation& first = violations->front();
      return fail("invalid_input", "the input of " + sub.workflow + first.path + ": " + first.message);
    }
  }
  auto reservation = reserve(share_of(place, found->second));
  if (!reservation) return std::unexpected(reservation.error());
  if (reservation->begun == Begun::blocked) return Begun::blocked;
  TaskScheduled event = scheduled(place, sub.workflow, TaskRole::sub_run, std::move(fresh));
  event.reserved = std::move(reservation->amount);
  emit(std::move(event));
  return Begun::yes;
}

Result<Decider::Begun> Decider::begin_wait(Place place, Wait wait) {
  const bool for_event = std::holds_alternative<ForEvent>(wait);
  TaskWaiting event{place.step, place.item, next_attempt(place), std::move(wait)};
  if (const TaskRecord* task = run_.find_task(place.step, place.item)) {
    event.link = task->link;
    event.iteration = task->iteration;
  }
  emit(std::move(event));
  if (for_event) deliver_kept_signal(place);
  return Begun::yes;
}

// --- budget
// -------------------------------------------------------------------------------------------------------

// What the agent says that an attempt may use, else the most that one has used so far.
Budget Decider::need_of(const AgentDefinition& agent) const {
  if (!run_.budget()) return {};
  return agent.budget ? *agent.budget : run_.largest_use(agent.name);
}

// Whether an attempt is under way that will tell what one uses.
bool Decider::is_probed(const AgentDefinition& agent) const {
  if (!run_.budget() || agent.budget || run_.knows_use(agent.name)) return false;
  return std::ranges::any_of(run_.open_attempts(), [&](const AttemptToken& token) {
    const TaskRecord& task = *run_.find_task(token.step, token.item);
    const bool asks = task.role == TaskRole::work || task.role == TaskRole::classify;
    return asks && std::holds_alternative<TaskDispatched>(task.state) &&
           run_.agent_of(token.step, token.item) == agent.name;
  });
}

// The other workflow's own budget; of what that doesn't bound, what is left, in equal parts for the items
// that are not begun yet.
Budget Decider::share_of(Place place, const WorkflowDefinition& workflow) const {
  if (!run_.budget()) return {};
  const Budget own = workflow.budget.value_or(Budget());
  std::size_t parts = 0;
  for (const TaskRecord& task : run_.step(place.step).tasks) {
    if (std::holds_alternative<TaskUnscheduled>(task.state)) ++parts;
  }
  const Budget spent = as_budget(run_.usage());
  const auto part = [&](std::optional<double> limit, double used, double reserved) -> std::optional<double> {
    if (!limit) return std::nullopt;
    return std::max(0.0, *limit - used - reserved) / static_cast<double>(std::max<std::size_t>(parts, 1));
  };
  const auto tokens = part(run_.budget()->tokens, *spent.tokens, run_.reserved().tokens.value_or(0));
  const auto usd = part(run_.budget()->usd, *spent.usd, run_.reserved().usd.value_or(0));
  // What the other workflow may use, if as much is left; else what is left.
  const auto share = [](std::optional<double> wanted, std::optional<double> limit, double used,
                        std::optional<double> equal) {
    if (!wanted) return equal;
    return std::optional(limit ? std::min(*wanted, std::max(0.0, *limit - used)) : *wanted);
  };
  return {.tokens = share(own.tokens, run_.budget()->tokens, *spent.tokens, tokens),
          .usd = share(own.usd, run_.budget()->usd, *spent.usd, usd)};
}

Result<Decider::Reservation> Decider::reserve(const Budget& need) const {
  if (!run_.budget()) return Reservation{};
  const Budget spent = as_budget(run_.usage());
  Reservation reservation{Begun::yes, need};
  const auto check = [&](const char* what, std::optional<double> limit, double used, double reserved,
                         double wanted) -> std::optional<Error> {
    if (!limit) return std::nullopt;
    const double left = *limit - used;
    if (left <= 0 || wanted > left) {
      return Error{"budget_exceeded", "the run's budget has " + amount(std::max(left, 0.0)) + " of " +
                                          amount(*limit) + " " + what + " left; the next task may need " +
                                          amount(wanted)};
    }
    const double free = left - reserved;
    if (wanted > free || free <= 0) reservation.begun = Begun::blocked;
    return std::nullopt;
  };
  const Budget& reserved = run_.reserved();
  if (auto error = check("tokens", run_.budget()->tokens, *spent.tokens, reserved.tokens.value_or(0),
                         need.tokens.value_or(0)))
    return std::unexpected(*std::move(error));
  if (auto error =
          check("US dollars", run_.budget()->usd, *spent.usd, reserved.usd.value_or(0), need.usd.value_or(0)))
    return std::unexpected(*std::move(error));
  return reservation;
}

}  // namespace ganglion

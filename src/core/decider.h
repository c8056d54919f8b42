#pragma once

// One decision in the making, for decide() only. Every change goes through `emit`, which applies the event
// and keeps it. One file per part: decide.cc (inputs), decide_steps.cc (steps begin), decide_tasks.cc (tasks
// are scheduled), decide_ends.cc (results, failures), decide_waits.cc (people, signals, events).

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/chain.h"
#include "core/decide.h"
#include "core/run_scope.h"

namespace ganglion {

// Error `too_large` beyond kMaxPayload.
Result<Payload> bounded(Result<Payload> value);

class Decider {
 public:
  Decider(Run& run, Timestamp now, const Surroundings& around)
      : run_(run), now_(now), around_(around), since_(around.last_event), scope_(run, around.state) {}

  Decision take() { return std::move(decision_); }

  void on(const Start& input);
  void on(const Fork& input);
  void on(const TaskReport& report);
  void on(const Wake&);
  void on(const Cancel& input);
  void on(const Pause& input);
  void on(const Resume& input);
  void on(const Retry&);
  void on(const Signal& input);
  void on(const Deliver& input);
  void on(const Answer& input);

 private:
  // Where one task stands.
  struct Place {
    StepIndex step;
    ItemIndex item;
  };
  // Whether there was room for it in the run's budget. If not, it is tried again when something has ended.
  enum class Begun { yes, blocked };

  void emit(Event event) {
    run_.apply(event, now_);
    // What comes later in the same decision sees it.
    if (const auto* changed = std::get_if<StateChanged>(&event)) scope_.write_state(changed->write);
    decision_.events.push_back(std::move(event));
  }
  bool active() const { return std::holds_alternative<RunActive>(run_.state()); }
  void refuse(std::string code, std::string message) {
    decision_.refusal = Error{std::move(code), std::move(message)};
  }
  void refuse(std::string message) { refuse("conflict", std::move(message)); }
  bool is_mapped(StepIndex step) const { return run_.definition(step).for_each.has_value(); }
  bool continues(StepIndex step) const { return run_.definition(step).on_failure == OnFailure::continue_run; }
  const AgentDefinition* find_agent(const std::string& name) const;

  // Inputs.
  void advance();
  void go_on_from_interruption();
  void make_up();
  void retry(Place place);
  void go_on(StepIndex step);
  Error first_failure(StepIndex step) const;
  void wake(const Wakeup& due);
  void finish();
  Result<Payload> output();

  // Steps begin.
  Begun begin(StepIndex step);
  Result<Begun> take_up(StepIndex step);
  Result<Begun> begin_mapped(StepIndex step, const expr::Template& list);
  // The output of an action that takes no time; nothing for one that does.
  Result<std::optional<Payload>> act_at_once(Place place);
  Result<Payload> publish(Place place, const Publish& publish);
  Result<Payload> set(Place place, const SetState& set);
  std::optional<Timestamp> expiry_of(const std::string& key) const;
  Result<std::uint32_t> checked_version(const std::string& topic, std::uint32_t version,
                                        const Payload& data) const;
  Payload emit_published(Place place, std::string topic, std::uint32_t version, Payload data);

  // Tasks are scheduled.
  Result<Begun> fill(StepIndex step);
  Result<Begun> schedule(Place place);
  Result<Begun> schedule_call(Place place, const AgentCall& call);
  Result<Begun> schedule_link(Place place, const std::string& agent, std::optional<Payload> input);
  Result<Begun> schedule_sub_run(Place place, const SubWorkflow& sub);
  Result<Begun> begin_wait(Place place, Wait wait);
  Result<std::string> called_agent(Place place, const AgentCall& call);
  // `called`: whose input it becomes, or null: then all of the state can be seen.
  Result<Payload> input_of(Place place, const expr::Template& input, const AgentDefinition* called);
  Result<std::string> cache_key(Place place, const std::string& agent, const Payload& input);
  Result<Begun> schedule_classifier(Place place, const AgentCall& call, const std::string& router,
                                    const std::string& classifier, std::optional<Payload> input);
  // Where a router sends it; nothing if its classifier is asked first.
  Result<std::optional<Route>> route(const RouterAgent& router, const std::string& name,
                                     const Payload& input);
  struct Reservation {
    Begun begun = Begun::yes;
    std::optional<Budget> amount;
  };
  // Error `budget_exceeded` where there will never be room.
  Result<Reservation> reserve(const Budget& need) const;
  Budget need_of(const AgentDefinition& agent) const;
  bool is_probed(const AgentDefinition& agent) const;
  Budget share_of(Place place, const WorkflowDefinition& workflow) const;
  Attempt next_attempt(Place place) const;
  TaskScheduled scheduled(Place place, std::string agent, TaskRole role, std::optional<Payload> input) const;
  void enter(Place place);

  // Ends.
  std::optional<Verdict> refusal_of(const TaskReport& report) const;
  std::optional<TaskFailure> broken_promise(const TaskReport& report, const TaskSuccess& success) const;
  std::optional<TaskFailure> forbidden(const AgentDefinition& agent, const TaskSuccess& success) const;
  void succeed(TaskReport report, const TaskSuccess& success);
  void accept(const TaskReport& report, const TaskSuccess& success);
  void keep_cached(Place place, const Payload& output);
  void classified(const TaskReport& report, const TaskSuccess& success);
  void fail_attempt(const TaskReport& report, const TaskFailure& failure);
  bool route_without_classifier(const TaskReport& report, const TaskFailure& failure);
  void end_loop(const TaskReport& report, const TaskSuccess& success, Error error);
  std::uint32_t max_attempts(const AttemptToken& token) const;
  const RetryPolicy& retry_policy(const AttemptToken& token) const;
  bool has_next_link(const AttemptToken& token) const;
  void bury(const AttemptToken& token, const Error& error);
  void next_task(StepIndex step, ItemIndex item);
  void item_ended(StepIndex step);
  void fail_step(StepIndex step, Error error);
  void cannot_schedule(StepIndex step, Error error);
  void fail_run(Error error, std::optional<StepIndex> step);
  void withdraw(const std::vector<AttemptToken>& tokens);

  // People, signals, events.
  bool wants(Place place, const std::string& name, const Payload& event);
  void deliver(Place place, const std::string& id, std::optional<std::uint64_t> seq, const Payload& event);
  void deliver_kept_signal(Place place);
  TaskReport report_of(Place place, std::string worker) const;

  Run& run_;
  const Timestamp now_;
  const Surroundings& around_;
  std::uint64_t since_;  // the event after which a wait begins
  RunScope scope_;
  Decision decision_;
};

}  // namespace ganglion

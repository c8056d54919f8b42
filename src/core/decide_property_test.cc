// Any sequence of inputs keeps the invariants, the fold of the journal is the live run, and once nobody makes
// trouble any more every run ends that waits for nobody.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/overloaded.h"
#include "core/decide.h"
#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"
#include "core/testing/invariants.h"
#include "core/testing/project_builder.h"
#include "core/testing/story.h"

namespace ganglion {
namespace {

using testing::agent_named;
using testing::InvariantChecker;
using testing::ProjectBuilder;
using testing::StepSpec;
using testing::Story;

// --- projects
// -------------------------------------------------------------------------------------------------------

enum class Kind {
  worker,
  chosen,
  human,
  routed,
  sub_run,
  approve,
  wait,
  publish,
  set,
  transform,
  sleep,
  last
};

struct StepShape {
  int kind;
  unsigned need;  // bits: which of the steps before it are needed
  int attempts;
  int on_failure;
  int options;  // bits, see options_of
  unsigned parallel;
};

struct Command {
  int kind;
  unsigned which;
};

void showValue(const StepShape& s, std::ostream& out) {
  out << "step{kind " << s.kind << ", need " << s.need << ", attempts " << s.attempts << ", on_failure "
      << s.on_failure << ", options " << s.options << ", parallel " << s.parallel << "}";
}
void showValue(const Command& c, std::ostream& out) {
  out << "{" << c.kind << ", " << c.which << "}";
}

rc::Gen<StepShape> any_step() {
  return rc::gen::build<StepShape>(
      rc::gen::set(&StepShape::kind, rc::gen::inRange(0, static_cast<int>(Kind::last))),
      rc::gen::set(&StepShape::need, rc::gen::inRange(0u, 64u)),
      rc::gen::set(&StepShape::attempts, rc::gen::inRange(1, 4)),
      rc::gen::set(&StepShape::on_failure, rc::gen::inRange(0, 3)),
      rc::gen::set(&StepShape::options, rc::gen::inRange(0, 128)),
      rc::gen::set(&StepShape::parallel, rc::gen::inRange(0u, 4u)));
}

rc::Gen<Command> any_command() {
  return rc::gen::build<Command>(rc::gen::set(&Command::kind, rc::gen::inRange(0, 28)),
                                 rc::gen::set(&Command::which, rc::gen::inRange(0u, 1000u)));
}

StepSpec options_of(const StepShape& shape, const std::string& name) {
  StepSpec spec;
  const auto has = [&](int bit) { return (shape.options >> bit & 1) != 0; };
  spec.retry = RetryPolicy{.max_attempts = static_cast<std::uint32_t>(shape.attempts),
                           .backoff = Backoff::exponential,
                           .initial = Duration(50),
                           .max = Duration(400),
                           .jitter = 0.2};
  spec.on_failure = static_cast<OnFailure>(shape.on_failure);
  spec.max_parallel = shape.parallel;
  const auto kind = static_cast<Kind>(shape.kind);
  const bool call = kind <= Kind::routed;
  const bool at_once = kind == Kind::publish || kind == Kind::set || kind == Kind::transform;
  if (has(0)) spec.for_each = "${{ [1, 2, 3, 4, 5] }}";
  if (has(0)) spec.input = "${{ item }}";
  if (has(1)) spec.condition = "input.n % 2 == 0";
  if (has(2)) spec.timeout = Duration(700);
  if (has(3) && call) spec.fallback = {"other", "cache", "person"};
  if (has(4) && call) spec.cache = Duration(1000);
  if (has(5) && !at_once) {
    spec.until = "steps." + name + ".output != 0";
    spec.max_iterations = 3;
  }
  return spec;
}

std::shared_ptr<const Project> project_of(const std::vector<StepShape>& shapes, int budget) {
  ProjectBuilder builder;
  AgentDefinition other = agent_named("other");
  other.budget = Budget{.tokens = 30, .usd = 0.1};
  other.publishes = {"made.*"};
  other.state.write = {"case.*"};
  builder.add_agent(other).add_agents({"worker"}).human("person", {"ann", "bob"});
  builder.router("router", {{"[35]", "other"}}, "worker", "person").workflow("child");
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const StepShape& shape = shapes[i];
    const std::string name = "s" + std::to_string(i);
    StepSpec spec = options_of(shape, name);
    for (std::size_t need = 0; need < i && need < 6; ++need) {
      if ((shape.need >> need) & 1) spec.needs.push_back("s" + std::to_string(need));
    }
    switch (static_cast<Kind>(shape.kind)) {
      case Kind::worker:
        builder.agent_step(name, spec);
        break;
      case Kind::chosen:
        spec.choice = "${{ ['other', 'router', 'person', 'worker', 'nobody'][input.n] }}";
        builder.agent_step(name, spec);
        break;
      case Kind::human:
        builder.agent_step(name, spec, "person");
        break;
      case Kind::routed:
        builder.agent_step(name, spec, "router");
        break;
      case Kind::sub_run:
        builder.sub_run_step(name, spec, "child");
        break;
      case Kind::approve:
        builder.approve_step(name, spec, {"ann"});
        break;
      case Kind::wait:
        builder.wait_step(name, spec, "made.*", (shape.options >> 6) & 1 ? "event.data > 0" : "");
        break;
      case Kind::publish:
        builder.publish_step(name, spec, "made.here");
        break;
      case Kind::set:
        builder.set_step(name, spec, {{"case.a", spec.input}, {"scratch.b", spec.input}});
        break;
      case Kind::transform:
        builder.transform_step(name, spec, "${{ input.n / (input.n - 3) }}");
        break;
      case Kind::sleep:
        builder.sleep_step(name, spec, "200ms");
        break;
      case Kind::last:
        break;
    }
  }
  if (budget > 0) builder.budget({.tokens = 50.0 * budget, .usd = 0.15 * budget});
  return builder.timeout(Duration(20'000)).build();
}

// --- the world
// -------------------------------------------------------------------------------------------------------

// A run, its journal, and everything that can be done to it.
class World {
 public:
  World(std::shared_ptr<const Project> project, int n)
      : project_(std::move(project)),
        workflow_(project_->workflows.at("w")),
        run_(RunId::make(now_, 7, 7), project_, workflow_),
        checker_(std::make_unique<InvariantChecker>(workflow_)) {
    give(Start{{.workflow = "w",
                .definition = "d0",
                .input = Payload("{\"n\":" + std::to_string(n) + "}"),
                .session_id = "s"}});
  }

  void act(const Command& command) {
    const unsigned which = command.which;
    switch (command.kind) {
      case 0:
        return give(Pause{.by_parent = which % 2 == 0});
      case 1:
        return give(Resume{.by_parent = which % 2 == 0});
      case 2:
        return give(Retry{});
      case 3:
        return which % 4 == 0 ? give(Cancel{"enough"}) : give(Wake{});
      case 4:
      case 5:
      case 6:
        return pass(Duration(which));
      case 7:
        return report(past_token(which), which);
      case 8:
        return reload();
      case 9:
        return which % 5 == 0 ? fork(which) : reload();
      case 10:
      case 11:
        return give(Signal{"id" + std::to_string(which % 20), which % 3 == 0 ? "other" : "made.x",
                           Payload(std::to_string(which % 2))});
      case 12:
      case 13:
        return event(which % 3 == 0 ? "other" : "made.x", std::to_string(which % 2));
      case 14:
        return answer(past_token(which), which);
      default:
        return respond(current_token(which), which);
    }
  }

  // Faults have stopped: everybody answers, nobody pauses. Whether the run has ended, or waits for a person
  // who could do nothing but try again what always fails.
  bool heal() {
    for (int i = 0; i < 1500 && !run_.ended(); ++i) {
      give(Resume{});
      respond(current_token(0), 1);
      event("made.x", "1");
      pass(Duration(100));
    }
    const auto* hold = std::get_if<RunOnHold>(&run_.state());
    return run_.ended() || (hold != nullptr && hold->step);
  }

  void reload() {
    auto folded = fold(run_.id(), project_, journal_);
    RC_ASSERT(folded.has_value());
    RC_ASSERT(run_json(**folded) == run_json(run_));
    RC_ASSERT((*folded)->open_attempts() == run_.open_attempts());
    RC_ASSERT((*folded)->startable() == run_.startable());
    run_ = std::move(**folded);
  }

  const std::vector<std::string>& violations() const { return checker_->violations(); }

 private:
  void give(const Input& input) {
    std::set<AttemptToken> open;
    for (const AttemptToken& token : run_.open_attempts()) open.insert(token);
    const Decision decision = decide(run_, input, now_, {.state = &state_, .last_event = last_event_});
    const std::uint64_t version = state_.version + 1;
    bool reserved = false;
    for (const Event& event : decision.events) {
      journal_.push_back(encode(event, journal_.size() + 1, now_, workflow_));
      checker_->observe(event, now_);
      end_attempts(event, open);
      const auto* scheduled = std::get_if<TaskScheduled>(&event);
      reserved = reserved || (scheduled && scheduled->reserved);
      const auto* change = std::get_if<StateChanged>(&event);
      if (change == nullptr || !change->write.value) continue;
      state_.version = version;
      state_.entries[change->write.key] = {*change->write.value, version, change->write.expires_at};
    }
    checker_->recount(run_);
    check_withdrawn(std::move(open), decision);
    if (reserved) check_budget();
    for (const AttemptToken& token : run_.open_attempts()) {
      if (seen_.insert(token).second) tokens_.push_back(token);
    }
  }
  // What was under way and ended by itself needs no withdrawal.
  void end_attempts(const Event& event, std::set<AttemptToken>& open) const {
    const auto erase = [&](const auto& e) { open.erase({run_.id(), e.step, e.item, e.attempt}); };
    if (const auto* e = std::get_if<TaskSucceeded>(&event)) erase(*e);
    if (const auto* e = std::get_if<TaskFailed>(&event)) erase(*e);
    if (const auto* e = std::get_if<TaskRouted>(&event)) erase(*e);
  }
  void check_withdrawn(std::set<AttemptToken> gone, const Decision& decision) const {
    for (const AttemptToken& token : run_.open_attempts()) gone.erase(token);
    for (const AttemptToken& token : gone)
      RC_ASSERT(std::ranges::find(decision.withdrawn, token) != decision.withdrawn.end());
  }
  void check_budget() const {
    const Budget used = as_budget(run_.usage());
    const Budget& limit = *run_.budget();
    RC_ASSERT(*used.tokens + run_.reserved().tokens.value_or(0) <= *limit.tokens + 1e-9);
    RC_ASSERT(*used.usd + run_.reserved().usd.value_or(0) <= *limit.usd + 1e-9);
  }

  void pass(Duration duration) {
    now_ = now_ + duration;
    give(Wake{});
  }
  void event(const std::string& topic, const std::string& data) {
    const std::uint64_t seq = ++last_event_;
    give(Deliver{{.seq = seq,
                  .id = std::to_string(seq),
                  .source = "test",
                  .topic = topic,
                  .time = now_,
                  .data = Payload(data)}});
  }
  // From any place of the journal, as another run.
  void fork(unsigned which) {
    const std::uint64_t seq = 1 + which % journal_.size();
    journal_.resize(seq);
    const RunId from = run_.id();
    const RunId id = RunId::make(now_, 8, ++forks_);
    auto folded = fold(id, project_, journal_);
    RC_ASSERT(folded.has_value());
    run_ = std::move(**folded);
    tokens_.clear();
    RC_ASSERT(violations() == std::vector<std::string>());
    checker_ = std::make_unique<InvariantChecker>(workflow_);
    for (const JournalEntry& entry : journal_) checker_->observe(decode(entry, workflow_).value(), entry.at);
    give(Fork{{.from = from, .seq = seq, .step = workflow_.steps.front().name}});
  }

  // Odd: as it should be.
  void respond(std::optional<AttemptToken> token, unsigned which) {
    if (!token) return;
    const TaskRecord& task = *run_.find_task(token->step, token->item);
    if (std::holds_alternative<TaskAwaiting>(task.state)) return answer(token, which);
    report(token, which);
  }
  void report(std::optional<AttemptToken> token, unsigned which) {
    if (!token) return;
    TaskReport report{*token, {}, "w1", now_};
    report.by_engine = testing::is_performed_by_engine(run_, *token);
    const Payload usage(R"({"tokens": )" + std::to_string(which % 50) + R"(, "usd": 0.01})");
    if (which % 3 == 0) {
      report.outcome = TaskFailure{"boom", "it \"broke\"", which % 2 == 0, usage};
      return give(report);
    }
    const TaskRecord* task = run_.find_task(token->step, token->item);
    const bool classifies = task != nullptr && task->role == TaskRole::classify;
    TaskSuccess success{Payload(classifies ? "\"other\"" : std::to_string(which % 5)), usage};
    if (which % 7 == 0) success.events.push_back({.topic = "made.result", .data = Payload("1")});
    if (which % 11 == 0) success.state.push_back({"case.x", Payload("1"), std::nullopt});
    report.outcome = std::move(success);
    give(report);
  }
  void answer(std::optional<AttemptToken> token, unsigned which) {
    const TaskRecord* task = token ? run_.find_task(token->step, token->item) : nullptr;
    const auto* awaiting = task ? std::get_if<TaskAwaiting>(&task->state) : nullptr;
    const auto* person = awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
    if (token && person == nullptr) give(Answer{*token, true, "ann", "", ""});
    if (person == nullptr) return;
    const std::string digest = which % 5 == 0 ? "other" : person->digest;
    give(Answer{*token, which % 3 != 0, which % 7 == 0 ? "eve" : "ann", "", digest});
  }
  std::optional<AttemptToken> current_token(unsigned which) const {
    const auto tokens = run_.open_attempts();
    if (tokens.empty()) return std::nullopt;
    // Not the same one again and again, so that each comes to its turn.
    return tokens[(which + turn_++) % tokens.size()];
  }
  std::optional<AttemptToken> past_token(unsigned which) const {
    if (tokens_.empty()) return std::nullopt;
    return tokens_[which % tokens_.size()];
  }

  Timestamp now_{1'700'000'000'000};
  std::shared_ptr<const Project> project_;
  const WorkflowDefinition& workflow_;
  Run run_;
  std::unique_ptr<InvariantChecker> checker_;
  StateSnapshot state_;
  std::uint64_t last_event_ = 0;
  std::uint64_t forks_ = 0;
  mutable unsigned turn_ = 0;
  std::vector<JournalEntry> journal_;
  std::set<AttemptToken> seen_;
  std::vector<AttemptToken> tokens_;
};

RC_GTEST_PROP(DecideProperty, AnySequenceOfInputsKeepsTheInvariants, ()) {
  const auto shapes = *rc::gen::nonEmpty(rc::gen::container<std::vector<StepShape>>(any_step()));
  const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
  World world(project_of(shapes, *rc::gen::inRange(0, 5)), *rc::gen::inRange(0, 5));
  for (const Command& command : commands) world.act(command);
  world.reload();
  RC_ASSERT(world.heal());
  world.reload();
  RC_ASSERT(world.violations() == std::vector<std::string>());
}

// Counted in events: seconds depend on the machine.
TEST(DecideScale, AMapOfTheMostItemsTakesAFixedNumberOfEventsForEach) {
  std::string list = "[0";
  for (std::size_t i = 1; i < kMaxMapItems; ++i) list += ",0";
  const auto project = ProjectBuilder().agent_step("a", {.for_each = "${{ input }}"}).build();
  Story story(project, list + "]");
  for (std::uint32_t i = 0; i < kMaxMapItems; ++i) {
    story.succeed("a", "1", i);
    ASSERT_LE(story.last.events.size(), 3u);
  }
  EXPECT_EQ(story.status(), "completed");
  // Created, begun, a schedule and a result for each, completed, completed.
  EXPECT_EQ(story.run.version(), 2 * kMaxMapItems + 4);
}

}  // namespace
}  // namespace ganglion

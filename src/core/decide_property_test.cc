// Any sequence of inputs keeps the invariants, and the fold of the journal is the live run.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/decide.h"
#include "core/event_codec.h"
#include "core/fold.h"
#include "core/run_json.h"
#include "core/testing/invariants.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::InvariantChecker;
using testing::ProjectBuilder;
using testing::StepSpec;

struct StepShape {
  int kind;       // 0, 1: agent; 2: map; 3: transform; 4: sleep
  unsigned need;  // bits: which of the steps before it are needed
  int attempts;
  bool continues;
  bool conditional;
  bool bounded_in_time;
  unsigned parallel;
};

struct Command {
  int kind;
  unsigned which;
};

void showValue(const StepShape& s, std::ostream& out) {
  out << "step{kind " << s.kind << ", need " << s.need << ", attempts " << s.attempts << ", continues "
      << s.continues << ", conditional " << s.conditional << ", timeout " << s.bounded_in_time
      << ", parallel " << s.parallel << "}";
}
void showValue(const Command& c, std::ostream& out) {
  out << "{" << c.kind << ", " << c.which << "}";
}

rc::Gen<StepShape> any_step() {
  return rc::gen::build<StepShape>(rc::gen::set(&StepShape::kind, rc::gen::inRange(0, 5)),
                                   rc::gen::set(&StepShape::need, rc::gen::inRange(0u, 64u)),
                                   rc::gen::set(&StepShape::attempts, rc::gen::inRange(1, 4)),
                                   rc::gen::set(&StepShape::continues), rc::gen::set(&StepShape::conditional),
                                   rc::gen::set(&StepShape::bounded_in_time),
                                   rc::gen::set(&StepShape::parallel, rc::gen::inRange(0u, 4u)));
}

rc::Gen<Command> any_command() {
  return rc::gen::build<Command>(rc::gen::set(&Command::kind, rc::gen::inRange(0, 20)),
                                 rc::gen::set(&Command::which, rc::gen::inRange(0u, 1000u)));
}

std::shared_ptr<const Project> project_of(const std::vector<StepShape>& shapes) {
  ProjectBuilder builder;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const StepShape& shape = shapes[i];
    StepSpec spec;
    for (std::size_t need = 0; need < i && need < 6; ++need) {
      if ((shape.need >> need) & 1) spec.needs.push_back("s" + std::to_string(need));
    }
    spec.retry = RetryPolicy{.max_attempts = static_cast<std::uint32_t>(shape.attempts),
                             .backoff = Backoff::exponential,
                             .initial = Duration(50),
                             .max = Duration(400),
                             .jitter = 0.2};
    spec.on_failure = shape.continues ? OnFailure::continue_run : OnFailure::fail_run;
    if (shape.conditional) spec.condition = "input.n % 2 == 0";
    if (shape.bounded_in_time) spec.timeout = Duration(700);
    spec.max_parallel = shape.parallel;
    const std::string name = "s" + std::to_string(i);
    if (shape.kind == 2) {
      spec.for_each = "${{ [1, 2, 3, 4, 5] }}";
      spec.input = "${{ item }}";
    }
    if (shape.kind <= 2) builder.agent_step(name, spec);
    if (shape.kind == 3) builder.transform_step(name, spec, "${{ input.n / (input.n - 3) }}");
    if (shape.kind == 4) builder.sleep_step(name, spec, "200ms");
  }
  return builder.timeout(Duration(20'000)).build();
}

// A run, its journal, and everything that can be done to it.
class World {
 public:
  World(std::shared_ptr<const Project> project, int n)
      : project_(std::move(project)),
        workflow_(project_->workflows.at("w")),
        run_(RunId::make(now_, 7, 7), project_, workflow_),
        checker_(workflow_) {
    give(Start{{.workflow = "w", .definition = "d0", .input = Payload("{\"n\":" + std::to_string(n) + "}")}});
  }

  void act(const Command& command) {
    switch (command.kind) {
      case 0:
        return give(Pause{});
      case 1:
        return give(Resume{});
      case 2:
        return give(Retry{});
      case 3:
        return command.which % 4 == 0 ? give(Cancel{"enough"}) : give(Wake{});
      case 4:
      case 5:
      case 6:
        return pass(Duration(command.which));
      case 7:
        return report(past_token(command.which), command.which % 2 == 0);
      case 8:
        return reload();
      default:
        return report(current_token(command.which), command.which % 3 != 0);
    }
  }

  // Faults have stopped: everybody answers, nobody pauses.
  bool heal() {
    give(Resume{});
    for (int i = 0; i < 2000 && !run_.ended(); ++i) {
      report(current_token(0), true);
      pass(Duration(100));
    }
    return run_.ended();
  }

  void reload() {
    auto folded = fold(run_.id(), project_, journal_);
    RC_ASSERT(folded.has_value());
    RC_ASSERT(run_json(**folded) == run_json(run_));
    RC_ASSERT((*folded)->open_attempts() == run_.open_attempts());
    run_ = std::move(**folded);
  }

  const std::vector<std::string>& violations() const { return checker_.violations(); }

 private:
  void give(Input input) {
    if (run_.version() > 0 && std::holds_alternative<Start>(input)) return;
    const Decision decision = decide(run_, input, now_);
    for (const Event& event : decision.events) {
      journal_.push_back(encode(event, journal_.size() + 1, now_, workflow_));
      checker_.observe(event, now_);
    }
    for (const AttemptToken& token : run_.open_attempts()) {
      if (seen_.insert(token).second) tokens_.push_back(token);
    }
  }
  void pass(Duration duration) {
    now_ = now_ + duration;
    give(Wake{});
  }
  void report(std::optional<AttemptToken> token, bool success) {
    if (!token) return;
    if (success)
      return give(TaskReport{*token, TaskSuccess{Payload("{\"ok\": 1.0}"), std::nullopt}, "w1", now_});
    give(TaskReport{*token, TaskFailure{"boom", "it \"broke\"", true}, "w1", now_});
  }
  std::optional<AttemptToken> current_token(unsigned which) const {
    const auto tokens = run_.open_attempts();
    if (tokens.empty()) return std::nullopt;
    return tokens[which % tokens.size()];
  }
  std::optional<AttemptToken> past_token(unsigned which) const {
    if (tokens_.empty()) return std::nullopt;
    return tokens_[which % tokens_.size()];
  }

  Timestamp now_{1'700'000'000'000};
  std::shared_ptr<const Project> project_;
  const WorkflowDefinition& workflow_;
  Run run_;
  InvariantChecker checker_;
  std::vector<JournalEntry> journal_;
  std::set<AttemptToken> seen_;
  std::vector<AttemptToken> tokens_;
};

RC_GTEST_PROP(DecideProperty, AnySequenceOfInputsKeepsTheInvariants, ()) {
  const auto shapes = *rc::gen::nonEmpty(rc::gen::container<std::vector<StepShape>>(any_step()));
  const auto commands = *rc::gen::container<std::vector<Command>>(any_command());
  World world(project_of(shapes), *rc::gen::inRange(0, 5));
  for (const Command& command : commands) world.act(command);
  world.reload();
  RC_ASSERT(world.heal());
  world.reload();
  RC_ASSERT(world.violations() == std::vector<std::string>());
}

}  // namespace
}  // namespace ganglion

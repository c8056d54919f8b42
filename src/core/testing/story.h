#pragma once

// One run and a clock, in the words that tests of decisions need: things happen to the run, and its latest
// decision, its journal and its state can be looked at.
//
//   Story story(ProjectBuilder().agent_step("a", {}).build());
//   story.succeed("a", "1");
//   EXPECT_THAT(story.events(), ElementsAre("task_succeeded a", "run_completed"));
//
// Every story is also a test of what holds for all of them: its end complains about each promise that the
// journal breaks, and about a journal whose fold is not the run that wrote it.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/decide.h"
#include "core/journal.h"
#include "core/run.h"
#include "core/state.h"
#include "core/testing/invariants.h"

namespace ganglion::testing {

inline constexpr Timestamp kStoryStart(1'700'000'000'000);
inline const RunId kStoryRun = RunId::make(kStoryStart, 1, 2);

// How a run is started, beside its input.
struct StartSpec {
  std::optional<std::string> session_id = {};
  std::optional<AttemptToken> parent = {};
  std::uint32_t depth = 0;
  std::optional<EventCause> cause = {};
  std::optional<Budget> budget = {};
  std::map<std::string, std::string> state = {};  // of the session, as JSON
};

class Story {
 public:
  explicit Story(std::shared_ptr<const Project> project, const std::string& input = "{}",
                 const StartSpec& start = {});
  ~Story();
  Story(const Story&) = delete;
  Story& operator=(const Story&) = delete;

  // --- what happens ---
  void give(const Input& input);
  void pass(Duration duration) {
    now = now + duration;
    give(Wake{});
  }
  Verdict report(const AttemptToken& token, std::variant<TaskSuccess, TaskFailure> outcome);
  Verdict report(const std::string& step, std::uint32_t item,
                 std::variant<TaskSuccess, TaskFailure> outcome) {
    return report(token(step, item), std::move(outcome));
  }
  Verdict succeed(const std::string& step, const std::string& output, std::uint32_t item = 0) {
    return report(step, item, TaskSuccess{Payload(output)});
  }
  Verdict succeed_using(const std::string& step, const std::string& usage, std::uint32_t item = 0) {
    return report(step, item, TaskSuccess{Payload("1"), Payload(usage)});
  }
  Verdict fail(const std::string& step, std::uint32_t item = 0, bool retryable = true) {
    return report(step, item, TaskFailure{"boom", "it broke", retryable});
  }
  Verdict fail_with(const std::string& step, const std::string& code, bool retryable = false,
                    std::uint32_t item = 0) {
    return report(step, item, TaskFailure{code, "it broke", retryable});
  }
  void signal(const std::string& name, const std::string& id, const std::string& data = "null") {
    give(Signal{id, name, Payload(data)});
  }
  // The next event of the log.
  void event(const std::string& topic, const std::string& data = "null");
  // With the digest of what is shown.
  void approve(const std::string& step, const std::string& by = "ann", std::optional<Payload> output = {});
  void reject(const std::string& step, const std::string& comment = "");
  void answer(const std::string& step, const std::string& by, const std::string& digest, bool approved = true,
              std::uint32_t item = 0);

  // --- what can be seen ---
  // Of the task's latest attempt.
  AttemptToken token(const std::string& step, std::uint32_t item = 0) const;
  // Of the last decision: `task_scheduled a[0]`.
  std::vector<std::string> events() const;
  // The last event of this type in the last decision; null if there is none.
  template <typename T>
  const T* said() const {
    const T* found = nullptr;
    for (const Event& event : last.events) {
      if (const auto* one = std::get_if<T>(&event)) found = one;
    }
    return found;
  }
  StepIndex index(const std::string& step) const { return run.workflow().positions.at(step); }
  std::string_view status(const std::string& step) const { return run.step_status(index(step)); }
  std::string_view status() const { return run.status(); }
  std::string input(const std::string& step, std::uint32_t item = 0) const;
  // Of a step that is done.
  std::string output(const std::string& step) const;
  // Of the completed run.
  std::string output() const { return std::string(std::get<RunDone>(run.state()).output.bytes()); }
  // Code of the failed run's, or of a step's error; empty if there is none.
  std::string error() const;
  std::string error(const std::string& step) const;
  // What a person is shown; null if nobody is asked.
  const ForPerson* asked(const std::string& step, std::uint32_t item = 0) const;
  std::string refusal() const { return last.refusal ? last.refusal->code : ""; }

  Timestamp now = kStoryStart;
  std::uint64_t last_event = 0;  // of the log
  StateSnapshot state;           // of the session
  Run run;
  Decision last;
  std::vector<JournalEntry> journal;

 private:
  void keep(const Decision& decision);

  std::shared_ptr<const Project> project_;
  InvariantChecker checker_;
};

}  // namespace ganglion::testing
